package zk_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// watchAllUp polls until stop is called, and fails the test if a successful poll does not show all members up. stop waits until
// so many polls have succeeded.
func watchAllUp(t *testing.T, d *zk.Driver, members int) (stop func(polls int64)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var polls atomic.Int64
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			p, err := d.Members(ctx)
			if err != nil {
				continue
			}
			polls.Add(1)
			up := 0
			for _, m := range p.Members {
				if m.Up {
					up++
				}
			}
			if up != members {
				t.Errorf("%d of %d members are up: %v", up, members, states(p))
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func(atLeast int64) {
		testserver.Eventually(t, func() bool { return t.Failed() || polls.Load() >= atLeast }, prompt, 10*time.Millisecond, "%d polls", atLeast)
		cancel()
		<-done
	}
}

func TestEnsemble(t *testing.T) {
	t.Parallel()
	servers := testserver.ZooKeeperEnsemble(t, 3)
	cfg := config(servers...)
	cfg.SessionTimeout = drivers.Duration(4 * time.Second) // This is the default, and longer than an election takes.
	const members = 6
	memberships := make([]drivers.Membership, members)
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		memberships[i] = join(t, open(t, cfg), "ensemble", name)
	}
	reader := open(t, cfg)
	require.Len(t, states(poll(t, reader)), members)
	requireRead := func(t *testing.T, d *zk.Driver) {
		t.Helper()
		require.Eventually(t, func() bool {
			_, err := read(t, d)
			return err == nil
		}, prompt, 20*time.Millisecond)
	}

	allUp := func(t *testing.T) {
		t.Helper()
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			eventually(t, reader, prompt, "ensemble/"+name, "up")
		}
	}

	// Members and readers connect to another server before their sessions expire, so no member dies with a server.
	t.Run("the leader is killed", func(t *testing.T) {
		stop := watchAllUp(t, reader, members)
		leader := testserver.Leader(t, servers)
		leader.Kill()
		testserver.Leader(t, servers)
		requireRead(t, reader)
		time.Sleep(5 * time.Second) // Until the sessions with the dead server have expired.
		stop(100)
		leader.Start()
	})

	t.Run("a follower is frozen", func(t *testing.T) {
		leader := testserver.Leader(t, servers)
		for _, server := range servers {
			if server == leader {
				continue
			}
			stop := watchAllUp(t, reader, members)
			server.Freeze()
			time.Sleep(6 * time.Second) // Until the sessions with the frozen server have expired, and its syncLimit of 5 s has passed.
			requireRead(t, reader)
			server.Thaw()
			stop(100)
			// If this server were still away, freezing the next one would end the quorum.
			requireRead(t, open(t, config(server)))
		}
	})

	// A leader that thaws may let all sessions expire, since it has received nothing for so long, so members may be seen
	// dead. They have to come back.
	t.Run("the leader is frozen", func(t *testing.T) {
		leader := testserver.Leader(t, servers)
		leader.Freeze()
		time.Sleep(6 * time.Second) // Until the followers have given it up after their syncLimit of 5 s.
		leader.Thaw()
		requireRead(t, reader)
		allUp(t)
	})

	// Without a quorum all members are unknown. A follower that still has data must not show them.
	t.Run("the quorum is lost", func(t *testing.T) {
		stop := watchAllUp(t, reader, members)
		servers[0].Kill()
		servers[1].Kill()
		var err error
		require.Eventually(t, func() bool {
			_, err = read(t, reader)
			return err != nil
		}, prompt, 20*time.Millisecond)
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		for range 3 {
			_, err := read(t, reader)
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.ErrorContains(t, err, "127.0.0.1:")
		}
		servers[0].StartOnly()
		servers[1].StartOnly()
		requireRead(t, reader)
		stop(0)
	})

	t.Run("all are stopped", func(t *testing.T) {
		for _, s := range servers {
			s.Stop()
		}
		_, err := read(t, reader)
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		for _, s := range servers {
			s.StartOnly()
		}
		requireRead(t, reader)
	})

	allUp(t)
	for _, m := range memberships {
		require.NoError(t, m.Err())
		require.NoError(t, m.Leave(t.Context()))
	}
	require.Empty(t, poll(t, reader).Members)
}

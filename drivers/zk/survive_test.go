package zk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// The members are connected through a proxy; the reader is not.
func TestMemberSurvives(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	reader := open(t, config(server))

	t.Run("a broken connection", func(t *testing.T) {
		p := newProxy(t, server.Addr())
		d := open(t, configFor(p.addr()))
		m := join(t, d, "broken", "one")
		owner := func() int64 {
			_, stat, err := c.Get("/servicegroups/broken/one")
			require.NoError(t, err)
			return stat.EphemeralOwner
		}
		for range 5 {
			before := owner()
			p.cut()
			for end := time.Now().Add(prompt); owner() == before; {
				require.True(t, time.Now().Before(end), "it has no new session")
				require.Equal(t, "up", states(poll(t, reader))["broken/one"], "no poll shows it missing")
			}
		}
		requireStays(t, reader, 2*sessionTimeout, "broken/one", "up") // The old sessions expire meanwhile.
		require.GreaterOrEqual(t, d.Counts().Reconnects, uint64(5))
		require.Zero(t, d.Counts().Expirations)
		require.NoError(t, m.Leave(t.Context()))
	})

	t.Run("the expiry of its session", func(t *testing.T) {
		p := newProxy(t, server.Addr())
		d := open(t, configFor(p.addr()))
		m := join(t, d, "expired", "one")
		p.silence(true)
		eventually(t, reader, prompt, "expired/one", "down")
		p.silence(false)
		p.cut()
		eventually(t, reader, prompt, "expired/one", "up")
		require.NoError(t, m.Err())
		require.Eventually(t, func() bool { return d.Counts().Expirations == 1 }, prompt, time.Millisecond)
		require.NoError(t, m.Leave(t.Context()))
		require.NotContains(t, states(poll(t, reader)), "expired/one")
	})

	t.Run("a server that accepts connections and cuts them", func(t *testing.T) {
		p := newProxy(t, server.Addr())
		cfg := configFor(p.addr())
		cfg.Auth.User, cfg.Auth.Password = "user", drivers.SecretText("password")
		d := open(t, cfg)
		m := join(t, d, "cut", "one")
		require.Equal(t, "up", states(poll(t, d))["cut/one"])
		for range 100 { // At every step of the handshake and of the requests after it.
			p.cut()
			time.Sleep(time.Duration(p.accepted()%20) * time.Millisecond)
		}
		eventually(t, d, prompt, "cut/one", "up")
		require.NoError(t, m.Leave(t.Context()))
	})

	t.Run("the deletion of only its znode", func(t *testing.T) {
		m := join(t, reader, "znode", "one")
		require.NoError(t, c.Delete("/servicegroups/znode/one", -1))
		eventually(t, reader, prompt, "znode/one", "up")
		require.NoError(t, m.Err())
		require.NoError(t, m.Leave(t.Context()))
	})

	t.Run("the loss of all data", func(t *testing.T) {
		p := newProxy(t, server.Addr())
		m := join(t, open(t, configFor(p.addr())), "wiped", "one")
		p.silence(true)
		eventually(t, reader, prompt, "wiped/one", "down")
		for _, path := range []string{"/.roster/wiped/one", "/.roster/wiped", "/wiped"} {
			require.NoError(t, c.Delete("/servicegroups"+path, -1))
		}
		require.NotContains(t, states(poll(t, reader)), "wiped/one")
		p.silence(false)
		p.cut()
		eventually(t, reader, prompt, "wiped/one", "up")
		require.NoError(t, m.Err())
	})
}

func TestMembershipEndsWhileDisconnected(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	reader := open(t, config(server))
	away := func(t *testing.T, group string) (*proxy, drivers.Membership) {
		t.Helper()
		p := newProxy(t, server.Addr())
		m := join(t, open(t, configFor(p.addr())), group, "one")
		p.silence(true)
		eventually(t, reader, prompt, group+"/one", "down")
		return p, m
	}
	ends := func(t *testing.T, p *proxy, m drivers.Membership, want error) {
		t.Helper()
		p.silence(false)
		p.cut()
		select {
		case <-m.Done():
			require.ErrorIs(t, m.Err(), want)
		case <-time.After(prompt):
			t.Fatal("the membership did not end")
		}
		require.NoError(t, m.Leave(t.Context()), "Leave after the end has no effect")
	}

	t.Run("removed", func(t *testing.T) {
		p, m := away(t, "removed")
		require.NoError(t, reader.Leave(t.Context(), "removed", "one"))
		ends(t, p, m, drivers.ErrRemoved)
		require.NotContains(t, states(poll(t, reader)), "removed/one")
	})
	t.Run("replaced", func(t *testing.T) {
		p, m := away(t, "replaced")
		join(t, reader, "replaced", "one")
		ends(t, p, m, drivers.ErrNameTaken)
		require.Equal(t, "up", states(poll(t, reader))["replaced/one"])
	})
}

func TestEndsOfAMembership(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	d := open(t, config(server))
	long := config(server)
	long.SessionTimeout = drivers.Duration(10 * time.Minute)

	t.Run("die", func(t *testing.T) {
		m := join(t, d, "die", "one")
		poll(t, d)
		at := time.Now().Add(-3 * time.Second)
		require.NoError(t, m.Die(t.Context(), drivers.Death{At: at}))
		dead := find(t, poll(t, d), "die", "one")
		require.False(t, dead.Up)
		require.True(t, dead.Died.Equal(at), "%v is not %v", dead.Died, at)

		join(t, d, "die", "one")
		require.True(t, find(t, poll(t, d), "die", "one").Died.IsZero(), "it has joined again")
	})

	t.Run("the record has the cause of a death", func(t *testing.T) {
		for i, cause := range []string{"", "exit status 1", "x.service: Result=signal ExecMainStatus=9", "\"Ünïcode\"\n\x00"} {
			name := fmt.Sprintf("n%d", i)
			m := join(t, d, "cause", name)
			require.NoError(t, m.Die(t.Context(), drivers.Death{At: time.Now(), Cause: cause}))
			data, _, err := c.Get("/servicegroups/.roster/cause/" + name)
			require.NoError(t, err)
			var record struct{ Cause string }
			require.NoError(t, json.Unmarshal(data, &record))
			require.Equal(t, cause, record.Cause)
		}
	})

	t.Run("abandon lets the session expire", func(t *testing.T) {
		m := join(t, d, "abandon", "one")
		m.Abandon()
		require.NoError(t, m.Leave(t.Context()), "the membership has ended")
		eventually(t, d, prompt, "abandon/one", "down")

		other := open(t, long)
		m = join(t, other, "abandon", "two")
		m.Abandon()
		require.NoError(t, other.Close(), "its connections are closed")
		require.Equal(t, "up", states(poll(t, d))["abandon/two"], "its session has not expired")
	})

	// A program that joins again after Abandon is like one that was restarted.
	t.Run("an abandoned name is free", func(t *testing.T) {
		other := open(t, long)
		join(t, other, "again", "one").Abandon()
		join(t, other, "again", "one") // It fails if it waits until the session of ten minutes has expired.
	})

	t.Run("close abandons", func(t *testing.T) {
		other := open(t, config(server))
		m := join(t, other, "close", "one")
		require.NoError(t, other.Close())
		require.Equal(t, "up", states(poll(t, d))["close/one"])
		require.NoError(t, m.Err())
		require.NoError(t, m.Leave(t.Context()))
		_, err := other.Join(t.Context(), drivers.JoinRequest{Group: "close", Name: "two"})
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		eventually(t, d, prompt, "close/one", "down")
	})

	// Leave makes a new connection.
	t.Run("leave while disconnected", func(t *testing.T) {
		p := newProxy(t, server.Addr())
		m := join(t, open(t, configFor(p.addr())), "disconnected", "one")
		p.cut()
		require.NoError(t, m.Leave(t.Context()))
		require.NotContains(t, states(poll(t, d)), "disconnected/one")
	})

	t.Run("leave while the server is silent", func(t *testing.T) {
		p := newProxy(t, server.Addr())
		m := join(t, open(t, configFor(p.addr())), "silent", "one")
		p.silence(true)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, m.Leave(ctx), drivers.ErrUnavailable)
		eventually(t, d, prompt, "silent/one", "down")
	})

	t.Run("refused names write nothing", func(t *testing.T) {
		for _, req := range []drivers.JoinRequest{
			{Group: ".hidden", Name: "one"}, {Group: "a/b", Name: "one"}, {Group: "g", Name: ".."}, {Group: "g", Name: "a\nb"},
		} {
			_, err := d.Join(t.Context(), req)
			require.Error(t, err)
			require.NotErrorIs(t, err, drivers.ErrUnavailable)
			require.Error(t, d.Leave(t.Context(), req.Group, req.Name))
		}
	})

	t.Run("damaged record", func(t *testing.T) {
		createTree(t, c, "/servicegroups/damaged", "ZKMembers", "/servicegroups/.roster/damaged", "",
			"/servicegroups/.roster/damaged/one", "0.7")
		found := poll(t, d)
		require.Equal(t, "down", states(found)["damaged/one"])
		require.Equal(t, []drivers.Rejection{{Group: "damaged", Name: "one", Reason: "data"}}, found.Rejected)
		join(t, d, "damaged", "one")
		require.Equal(t, "up", states(poll(t, d))["damaged/one"])
		require.Empty(t, poll(t, d).Rejected)
		_, _, err := c.Get("/servicegroups/.roster/damaged/one")
		require.NoError(t, err)
		require.NoError(t, d.Leave(t.Context(), "damaged", "one"))
		exists, _, err := c.Exists("/servicegroups/.roster/damaged/one")
		require.NoError(t, err)
		require.False(t, exists)
	})
}

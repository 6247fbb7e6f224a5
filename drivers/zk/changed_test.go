package zk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// Poll.Changed has only groups that were watched all the time since the last poll.
func TestChanged(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	p := newProxy(t, server.Addr())
	d := open(t, configFor(p.addr()))
	joiner := open(t, config(server))

	m := join(t, joiner, "g", "one")
	require.Empty(t, poll(t, d).Changed, "nothing was watched before the first poll")
	require.Empty(t, poll(t, d).Changed, "nothing changed")

	t.Run("the first of several changes", func(t *testing.T) {
		drainSignal(d)
		begun := time.Now()
		two := join(t, joiner, "g", "two")
		requireSignal(t, d, "two joined")
		seen := time.Now()
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, two.Leave(t.Context()))
		require.WithinRange(t, poll(t, d).Changed["g"], begun, seen)
		require.Empty(t, poll(t, d).Changed)
	})

	t.Run("a new group", func(t *testing.T) {
		join(t, joiner, "new", "one")
		require.NotContains(t, poll(t, d).Changed, "new", "it was not watched")
		join(t, joiner, "new", "two")
		require.Eventually(t, func() bool {
			p, err := read(t, d)
			return err == nil && !p.Changed["new"].IsZero()
		}, prompt, time.Millisecond)
	})

	t.Run("the removal of a dead member", func(t *testing.T) {
		dead := join(t, joiner, "dead", "one")
		poll(t, d)
		require.NoError(t, dead.Die(t.Context(), drivers.Death{At: time.Now()}))
		poll(t, d)
		drainSignal(d)
		require.NoError(t, joiner.Leave(t.Context(), "dead", "one"))
		requireSignal(t, d, "it was removed")
		require.Empty(t, poll(t, d).Changed, "no member died")
	})

	t.Run("a change while the session was lost", func(t *testing.T) {
		poll(t, d)
		p.cut()
		require.NoError(t, c.Delete("/servicegroups/g/one", -1))
		requireSignal(t, d, "there is a new session")
		require.Empty(t, poll(t, d).Changed)
		require.NoError(t, m.Err())
		require.Equal(t, uint64(1), d.Counts().Reconnects)
	})

	// The change is reported by the next poll that succeeds.
	t.Run("a poll that fails", func(t *testing.T) {
		poll(t, d)
		drainSignal(d)
		begun := time.Now()
		join(t, joiner, "g", "three")
		requireSignal(t, d, "three joined")
		seen := time.Now()
		ctx, cancel := withTimeout(t, time.Nanosecond)
		defer cancel()
		_, err := d.Members(ctx)
		require.Error(t, err)
		require.WithinRange(t, poll(t, d).Changed["g"], begun, seen)
	})
}

package mc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

var one = drivers.JoinRequest{Group: "compute", Name: "one"}

// Every server gets every heartbeat, so that every reader finds it.
func TestHeartbeatsGoEverywhere(t *testing.T) {
	t.Parallel()
	d := open(t, config(testserver.Memcached(t), testserver.Memcached(t)), rosterOf("one"))
	m, err := d.Join(t.Context(), one)
	require.NoError(t, err)
	joined := time.Now()
	for i := range d.servers {
		first := written(t, d, i)
		require.NotNil(t, first)
		require.Equal(t, uint32(flagPickle), first.Flags)
		at, err := valueTime(first)
		require.NoError(t, err)
		require.WithinDuration(t, joined, at, time.Second)
		testserver.Eventually(t, func() bool {
			next, err := valueTime(written(t, d, i))
			return err == nil && next.After(at)
		}, time.Minute, 10*time.Millisecond, "a second heartbeat")
	}
	require.NoError(t, m.Leave(t.Context()))
	for i := range d.servers {
		require.Nil(t, written(t, d, i))
	}
}

// written returns the item that a server has of the member "one".
func written(t *testing.T, d *Driver, server int) (item *memcache.Item) {
	t.Helper()
	require.NoError(t, d.servers[server].do(t.Context(), func(c *client) (err error) {
		item, err = c.get(sha1Hex("compute:one"))
		return err
	}))
	return item
}

// A name that is not in the roster is refused: no reader would see the member.
func TestJoinNeedsTheRoster(t *testing.T) {
	t.Parallel()
	roster := rosterOf("another")
	d := open(t, config(testserver.Memcached(t)), roster)
	_, err := d.Join(t.Context(), one)
	require.ErrorIs(t, err, drivers.ErrNoMember)
	require.ErrorContains(t, err, "add it there first")
	require.Nil(t, written(t, d, 0), "nothing was written")

	// If the roster can't be read, the member joins.
	roster.fail(errors.New("go away"))
	m, err := d.Join(t.Context(), one)
	require.NoError(t, err)
	roster.fail(nil)
	roster.put(drivers.Member{Group: "compute", Name: "one"})
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	require.NoError(t, m.Leave(t.Context()))
}

func TestNames(t *testing.T) {
	t.Parallel()
	d := open(t, config(testserver.Memcached(t)), rosterOf())
	for _, member := range []drivers.Key{{Name: "a"}, {Group: "a"}, {Group: "a\xff", Name: "b"}, {Group: "a", Name: "b\x00"}} {
		_, err := d.Join(t.Context(), drivers.JoinRequest{Group: member.Group, Name: member.Name})
		require.Error(t, err)
		require.NotErrorIs(t, err, drivers.ErrUnavailable)
		require.ErrorIs(t, d.Leave(t.Context(), member.Group, member.Name), drivers.ErrNoMember)
	}
}

// A membership outlives outages of some servers and of all, and its heartbeats are on all servers afterwards.
func TestMembershipsOutliveServers(t *testing.T) {
	t.Parallel()
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	d := open(t, config(first, second), rosterOf("one"))
	second.Stop()
	m, err := d.Join(t.Context(), one)
	require.NoError(t, err, "one server is enough")
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))

	first.Freeze()
	_, err = d.Join(short(t, 500*time.Millisecond), one)
	require.ErrorIs(t, err, drivers.ErrUnavailable, "no server is not enough")
	require.ErrorIs(t, d.Leave(short(t, 200*time.Millisecond), "compute", "one"), drivers.ErrUnavailable)

	second.Start()
	first.Thaw()
	for i := range d.servers {
		testserver.Eventually(t, func() bool { return written(t, d, i) != nil }, time.Minute, 20*time.Millisecond, "a heartbeat on server %d", i)
	}
	require.NoError(t, m.Err())
	require.NoError(t, m.Leave(t.Context()))
}

// A note that a member was removed ends memberships that were joined before it, not later ones.
func TestRemoval(t *testing.T) {
	t.Parallel()
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	d := open(t, config(first, second), rosterOf("one"))
	former, err := d.Join(t.Context(), one)
	require.NoError(t, err)
	require.NoError(t, d.Leave(t.Context(), "compute", "one"))
	select {
	case <-former.Done():
		require.ErrorIs(t, former.Err(), drivers.ErrRemoved)
	case <-time.After(10 * time.Second):
		t.Fatal("the membership did not end")
	}
	require.NoError(t, former.Leave(t.Context()), "a membership that has ended can be ended again")
	require.ErrorIs(t, d.Leave(t.Context(), "compute", "one"), drivers.ErrNoMember)

	second.Freeze() // This server keeps the note.
	m, err := d.Join(short(t, time.Second), one)
	require.NoError(t, err)
	second.Thaw()
	testserver.Eventually(t, func() bool { return written(t, d, 1) != nil }, time.Minute, 20*time.Millisecond, "a heartbeat on the second server")
	require.NoError(t, m.Err(), "it was removed before it joined")
	require.NoError(t, m.Leave(t.Context()))
}

// A server that loses its data does not end a membership.
func TestMembershipsOutliveLossOfData(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	d := open(t, config(server), rosterOf("one"))
	m, err := d.Join(t.Context(), one)
	require.NoError(t, err)
	for _, lose := range []func(){
		func() { server.Kill(); server.Start() },
		func() { server.Command("flush_all") },
		func() { erase(t, d, 0, "one") },
	} {
		lose()
		testserver.Eventually(t, func() bool { return written(t, d, 0) != nil }, time.Minute, 10*time.Millisecond, "another heartbeat")
	}
	require.NoError(t, m.Err())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	require.NoError(t, m.Leave(t.Context()))
}

// A member that died leaves a heartbeat that is too old for every reader.
func TestDeath(t *testing.T) {
	t.Parallel()
	d := open(t, config(testserver.Memcached(t)), rosterOf("one"))
	waitUntilTrusted(t, d)
	m, err := d.Join(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	require.NoError(t, m.Die(t.Context(), drivers.Death{At: time.Now()}))
	at, err := valueTime(written(t, d, 0))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(-d.cfg.DownTime()-time.Second), at, time.Second)
	require.Equal(t, "down", verdictOf(poll(t, d), "one"))
	require.NoError(t, m.Leave(t.Context()), "the membership has ended")
	require.NotNil(t, written(t, d, 0))
}

// Leave and Die return an error in time if no server can be written.
func TestEndsWithoutServers(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	cfg := config(server)
	cfg.Timeout = drivers.Duration(time.Hour) // Only the context ends the calls.
	d := open(t, cfg, rosterOf("one"))
	for _, end := range []func(context.Context, drivers.Membership) error{
		func(ctx context.Context, m drivers.Membership) error { return m.Leave(ctx) },
		func(ctx context.Context, m drivers.Membership) error {
			return m.Die(ctx, drivers.Death{At: time.Now()})
		},
	} {
		m, err := d.Join(t.Context(), one)
		require.NoError(t, err)
		server.Freeze()
		require.ErrorIs(t, end(short(t, 200*time.Millisecond), m), drivers.ErrUnavailable)
		server.Thaw()
	}
}

package zk_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
)

// Each nested member is watched, so that a poll reads only those that have changed.
func TestNestedMembersAreWatched(t *testing.T) {
	t.Parallel()
	const n = 2000
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createTree(t, c, "/servicegroups", "", "/servicegroups/compute", "ZKMembers")
	name := func(i int) string { return fmt.Sprintf("compute-%04d", i) }
	path := func(i int) string { return "/servicegroups/compute/" + name(i) }
	createMany(t, c, n, func(i int) []*zkclient.CreateRequest {
		return []*zkclient.CreateRequest{
			{Path: path(i), Data: []byte("ZKMembers")},
			{Path: path(i) + "/1", Flags: zkclient.FlagEphemeral},
		}
	})
	p := newProxy(t, server.Addr())
	cfg := configFor(p.addr())
	cfg.SessionTimeout = drivers.Duration(longSession) // A lost session would make a poll expensive.
	d := open(t, cfg)
	up := func() (up int, count uint64) {
		poll, count := countRequests(t, d)
		for i := range poll.Members {
			if poll.Members[i].Up {
				up++
			}
		}
		return up, count
	}
	unchanged := func(t *testing.T, want int) {
		t.Helper()
		up, count := up()
		require.Equal(t, want, up)
		require.EqualValues(t, 5, count, "the sync, two listings for the groups, two for this group")
	}

	alive, count := up()
	require.Equal(t, n, alive)
	require.LessOrEqual(t, count, uint64(3*n+10))
	unchanged(t, n)

	t.Run("a death", func(t *testing.T) {
		drainSignal(d)
		require.NoError(t, c.Delete(path(7)+"/1", -1))
		requireSignal(t, d, "it died")
		up, count := up()
		require.Equal(t, n-1, up)
		require.EqualValues(t, 6, count)
		unchanged(t, n-1)
	})
	t.Run("a change of data", func(t *testing.T) {
		drainSignal(d)
		_, err := c.Set(path(8), []byte("something else"), -1)
		require.NoError(t, err)
		requireSignal(t, d, "it is no longer a member")
		up, count := up()
		require.Equal(t, n-2, up)
		require.EqualValues(t, 6, count)
		unchanged(t, n-2)
	})
	t.Run("watches stay set while other groups come and go", func(t *testing.T) {
		require.NoError(t, c.Delete(path(10)+"/1", -1))
		create(t, c, path(10)+"/2", "", zkclient.FlagEphemeral)
		createTree(t, c, "/servicegroups/other", "")
		for i := range 3 {
			create(t, c, "/servicegroups/other/"+strconv.Itoa(i), "", zkclient.FlagEphemeral)
			up, count := up()
			require.Equal(t, n-2+i+1, up)
			require.Less(t, count, uint64(15))
		}
		require.NoError(t, c.Delete(path(11)+"/1", -1))
		up, count := up()
		require.Equal(t, n, up)
		require.EqualValues(t, 8, count)
		for i := range 3 {
			require.NoError(t, c.Delete("/servicegroups/other/"+strconv.Itoa(i), -1))
		}
		poll(t, d)
		create(t, c, path(11)+"/1", "", zkclient.FlagEphemeral)
		require.NoError(t, c.Delete("/servicegroups/other", -1))
		poll(t, d)
		unchanged(t, n-2)
	})
	t.Run("a new session", func(t *testing.T) {
		p.cut()
		require.NoError(t, c.Delete(path(9)+"/1", -1))
		up, count := up()
		require.Equal(t, n-3, up)
		require.Greater(t, count, uint64(2*n))
		unchanged(t, n-3)
	})
}

// A driver that has watched nested members while they changed sees the same as a driver that has just been opened.
func TestWatchingAndNewDriver(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createTree(t, c, "/servicegroups", "", "/servicegroups/compute", "ZKMembers", "/servicegroups/other", "",
		"/servicegroups/.roster", "", "/servicegroups/.roster/compute", "", "/servicegroups/.roster/other", "")
	watching := open(t, config(server))
	rng := rand.New(rand.NewPCG(1, 2))
	acl := zkclient.WorldACL(zkclient.PermAll)
	for range 100 {
		for range rng.IntN(6) {
			group := []string{"compute", "other"}[rng.IntN(2)]
			name := strconv.Itoa(rng.IntN(6))
			member, record := "/servicegroups/"+group+"/"+name, "/servicegroups/.roster/"+group+"/"+name
			// Each request may fail, since its znode may exist or not.
			switch rng.IntN(9) {
			case 0:
				_, _ = c.Create(member, []byte("ZKMembers"), 0, acl)
			case 1:
				_, _ = c.Create(member, nil, zkclient.FlagEphemeral, acl)
			case 2, 3:
				_, _ = c.Create(member+"/1", nil, zkclient.FlagEphemeral, acl)
			case 4:
				_ = c.Delete(member+"/1", -1)
			case 5:
				_ = c.Delete(member, -1)
			case 6:
				_, _ = c.Set(member, []byte("not a member"), -1)
			case 7:
				_, _ = c.Create(record, []byte(recordJSON), 0, acl)
			case 8:
				_ = c.Delete(record, -1)
			}
		}
		fresh, err := zk.Open(config(server), discard())
		require.NoError(t, err)
		require.Equal(t, states(poll(t, fresh)), states(poll(t, watching)))
		require.NoError(t, fresh.Close())
	}
}

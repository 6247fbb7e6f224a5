package zk_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// fill makes n znodes below a path, and more below other paths in the same transactions.
func fill(t *testing.T, c *zkclient.Conn, n int, node func(i int) []*zkclient.CreateRequest) {
	t.Helper()
	const batch = 500
	for i := 0; i < n; i += batch {
		var ops []any
		for j := i; j < min(i+batch, n); j++ {
			for _, op := range node(j) {
				op.Acl = zkclient.WorldACL(zkclient.PermAll)
				ops = append(ops, op)
			}
		}
		_, err := c.Multi(ops...)
		require.NoError(t, err)
	}
}

// empty removes n znodes.
func empty(t *testing.T, c *zkclient.Conn, n int, path func(i int) string) {
	t.Helper()
	const batch = 500
	for i := 0; i < n; i += batch {
		var ops []any
		for j := i; j < min(i+batch, n); j++ {
			ops = append(ops, &zkclient.DeleteRequest{Path: path(j), Version: -1})
		}
		_, err := c.Multi(ops...)
		require.NoError(t, err)
	}
}

const aRecord = `{"id": "x", "joined_at": "2026-11-23T15:00:00Z", "session_timeout": "4s", "process": {"host": "h", "pid": 1}}`

// asked counts the round trips of a poll.
func asked(t *testing.T, d *zk.Driver) (p *drivers.Poll, count uint64) {
	t.Helper()
	before := d.Counts().Operations
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := d.Members(ctx)
	require.NoError(t, err)
	return p, d.Counts().Operations - before
}

func TestLargeGroups(t *testing.T) {
	server := testserver.ZooKeeper(t)
	c := foreign(t, server.Addr())
	tree(t, c, "/servicegroups", "", "/servicegroups/.roster", "")
	for _, g := range []string{"ours", "foreign", "dying"} {
		tree(t, c, "/servicegroups/"+g, "ZKMembers")
	}
	tree(t, c, "/servicegroups/.roster/ours", "", "/servicegroups/.roster/dying", "")
	configured := func(groups ...string) zk.Config {
		cfg := config(server)
		cfg.SessionTimeout = drivers.Duration(5 * time.Second) // A session that is lost makes a poll dear.
		cfg.Groups = groups
		return cfg
	}
	name := func(i int) string { return fmt.Sprintf("compute-%06d.some.example.com", i) }

	// What join writes is read in two round trips a group, and one more for the whole poll, whatever the size.
	t.Run("members with records", func(t *testing.T) {
		const n = 50_000
		fill(t, c, n, func(i int) []*zkclient.CreateRequest {
			return []*zkclient.CreateRequest{
				{Path: "/servicegroups/ours/" + name(i), Flags: zkclient.FlagEphemeral},
				{Path: "/servicegroups/.roster/ours/" + name(i), Data: []byte(aRecord)},
			}
		})
		d := open(t, configured("ours"))
		p, count := asked(t, d)
		require.Len(t, p.Members, n)
		require.EqualValues(t, 3, count)
		for i := range p.Members {
			require.Equal(t, drivers.Member{Group: "ours", Name: name(i), Up: true, Rostered: true}, p.Members[i])
		}

		// While nothing changes, a poll costs next to nothing, on either side.
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const polls = 100
		for range polls {
			p, count = asked(t, d)
			require.Len(t, p.Members, n)
			require.EqualValues(t, 3, count)
		}
		runtime.ReadMemStats(&after)
		require.Less(t, (after.TotalAlloc-before.TotalAlloc)/polls, uint64(100<<10))

		// A death costs one of the listings, and the record of the dead.
		require.NoError(t, c.Delete("/servicegroups/ours/"+name(7), -1))
		p, count = asked(t, d)
		require.EqualValues(t, 4, count)
		require.False(t, p.Members[7].Up)
		require.Equal(t, 4*time.Second, p.Members[7].SessionTimeout)
		require.Contains(t, p.Changed, "ours")
		p, count = asked(t, d)
		require.EqualValues(t, 3, count, "what is known of the dead is not asked again")
		require.False(t, p.Members[7].Up)
		require.Empty(t, p.Changed)
	})

	// Those of other programs have to be looked at one by one, but only once.
	t.Run("members without records", func(t *testing.T) {
		const n = 20_000
		fill(t, c, n, func(i int) []*zkclient.CreateRequest {
			return []*zkclient.CreateRequest{{Path: "/servicegroups/foreign/" + name(i), Flags: zkclient.FlagEphemeral}}
		})
		d := open(t, configured("foreign"))

		// What could not be found out in time is not asked again.
		tries := 1
		for ; ; tries++ {
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			_, err := d.Members(ctx)
			cancel()
			if err == nil {
				break
			}
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err))
			require.Less(t, tries, 500)
		}
		require.Greater(t, tries, 1, "the bound on the time of a poll has no effect")
		p, count := asked(t, d)
		require.Len(t, p.Members, n)
		require.True(t, p.Members[n-1].Up)
		require.EqualValues(t, 3, count)
	})

	t.Run("all die at once", func(t *testing.T) {
		const n = 10_000
		fill(t, c, n, func(i int) []*zkclient.CreateRequest {
			return []*zkclient.CreateRequest{
				{Path: "/servicegroups/dying/" + name(i)},
				{Path: "/servicegroups/.roster/dying/" + name(i), Data: []byte(aRecord)},
			}
		})
		d := open(t, configured("dying"))
		p, _ := asked(t, d)
		require.True(t, p.Members[n-1].Up)
		empty(t, c, n, func(i int) string { return "/servicegroups/dying/" + name(i) })
		begun := time.Now()
		p, count := asked(t, d)
		require.Less(t, time.Since(begun), prompt)
		require.LessOrEqual(t, count, uint64(n+10))
		require.Len(t, p.Members, n)
		for i := range p.Members {
			require.Equal(t, 4*time.Second, p.Members[i].SessionTimeout)
			require.False(t, p.Members[i].Up)
		}
	})

	t.Run("all of it, in one poll", func(t *testing.T) {
		p, _ := asked(t, open(t, config(server)))
		require.Len(t, p.Members, 80_000)
	})
}

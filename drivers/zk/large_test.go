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

// createMany makes the requests that node returns for the numbers below n, in few transactions.
func createMany(t *testing.T, c *zkclient.Conn, n int, node func(i int) []*zkclient.CreateRequest) {
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

// deleteMany deletes n znodes.
func deleteMany(t *testing.T, c *zkclient.Conn, n int, path func(i int) string) {
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

const recordJSON = `{"id": "x", "joined_at": "2026-11-23T15:00:00Z", "session_timeout": "4s", "process": {"host": "h", "pid": 1}}`

// countRequests polls and returns the number of requests to the server.
func countRequests(t *testing.T, d *zk.Driver) (p *drivers.Poll, count uint64) {
	t.Helper()
	before := d.Counts().Operations
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := d.Members(ctx)
	require.NoError(t, err)
	return p, d.Counts().Operations - before
}

func TestLargeGroups(t *testing.T) {
	server := testserver.ZooKeeper(t) // To delete so many znodes takes longer than to start a server.
	c := otherClient(t, server.Addr())
	createTree(t, c, "/servicegroups", "", "/servicegroups/.roster", "")
	for _, g := range []string{"ours", "others", "dying"} {
		createTree(t, c, "/servicegroups/"+g, "ZKMembers")
	}
	createTree(t, c, "/servicegroups/.roster/ours", "", "/servicegroups/.roster/dying", "")
	configured := func(groups ...string) zk.Config {
		cfg := config(server)
		cfg.SessionTimeout = drivers.Duration(longSession) // A lost session would make a poll expensive.
		cfg.Groups = groups
		return cfg
	}
	name := func(i int) string { return fmt.Sprintf("compute-%06d.some.example.com", i) }

	// A group whose members have records takes two requests, and the poll takes one more, whatever the size of the group.
	t.Run("members with records", func(t *testing.T) {
		const n = 50_000
		createMany(t, c, n, func(i int) []*zkclient.CreateRequest {
			return []*zkclient.CreateRequest{
				{Path: "/servicegroups/ours/" + name(i), Flags: zkclient.FlagEphemeral},
				{Path: "/servicegroups/.roster/ours/" + name(i), Data: []byte(recordJSON)},
			}
		})
		d := open(t, configured("ours"))
		p, count := countRequests(t, d)
		require.Len(t, p.Members, n)
		require.EqualValues(t, 3, count)
		for i := range p.Members {
			require.Equal(t, drivers.Member{Group: "ours", Name: name(i), Up: true, Rostered: true}, p.Members[i])
		}

		// While nothing changes, a poll takes few requests and little memory.
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const polls = 100
		for range polls {
			p, count = countRequests(t, d)
			require.Len(t, p.Members, n)
			require.EqualValues(t, 3, count)
		}
		runtime.ReadMemStats(&after)
		require.Less(t, (after.TotalAlloc-before.TotalAlloc)/polls, uint64(100<<10))

		// A death takes one more request, for the record of the dead member.
		require.NoError(t, c.Delete("/servicegroups/ours/"+name(7), -1))
		p, count = countRequests(t, d)
		require.EqualValues(t, 4, count)
		require.False(t, p.Members[7].Up)
		require.Equal(t, 4*time.Second, p.Members[7].SessionTimeout)
		require.Contains(t, p.Changed, "ours")
		p, count = countRequests(t, d)
		require.EqualValues(t, 3, count, "the record is not read again")
		require.False(t, p.Members[7].Up)
		require.Empty(t, p.Changed)
	})

	// Members of other programs have to be read one by one, but only once.
	t.Run("members without records", func(t *testing.T) {
		const n = 20_000
		createMany(t, c, n, func(i int) []*zkclient.CreateRequest {
			return []*zkclient.CreateRequest{{Path: "/servicegroups/others/" + name(i), Flags: zkclient.FlagEphemeral}}
		})
		d := open(t, configured("others"))

		// The next poll does not read again what a poll has read that had too little time.
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
		require.Greater(t, tries, 1, "the timeout of a poll has no effect")
		p, count := countRequests(t, d)
		require.Len(t, p.Members, n)
		require.True(t, p.Members[n-1].Up)
		require.EqualValues(t, 3, count)
	})

	t.Run("all die at once", func(t *testing.T) {
		const n = 10_000
		createMany(t, c, n, func(i int) []*zkclient.CreateRequest {
			return []*zkclient.CreateRequest{
				{Path: "/servicegroups/dying/" + name(i)},
				{Path: "/servicegroups/.roster/dying/" + name(i), Data: []byte(recordJSON)},
			}
		})
		d := open(t, configured("dying"))
		p, _ := countRequests(t, d)
		require.True(t, p.Members[n-1].Up)
		deleteMany(t, c, n, func(i int) string { return "/servicegroups/dying/" + name(i) })
		p, count := countRequests(t, d)
		require.LessOrEqual(t, count, uint64(n+10))
		require.Len(t, p.Members, n)
		for i := range p.Members {
			require.Equal(t, 4*time.Second, p.Members[i].SessionTimeout)
			require.False(t, p.Members[i].Up)
		}
	})

	t.Run("all groups in one poll", func(t *testing.T) {
		p, _ := countRequests(t, open(t, config(server)))
		require.Len(t, p.Members, 80_000)
	})
}

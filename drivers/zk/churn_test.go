package zk_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// Members that come and go between the reads of a poll are never taken for dead or for strangers, and one that moves from
// session to session is never missing.
func TestChurn(t *testing.T) {
	server := testserver.ZooKeeper(t)
	d := open(t, config(server))
	join(t, d, "churn", "stays")
	var changes atomic.Int64
	churn := func(c *zkclient.Conn, worker int) error {
		names := make([]string, 20)
		for i := range names {
			names[i] = fmt.Sprintf("worker-%d-member-%d", worker, i)
		}
		acl := zkclient.WorldACL(zkclient.PermAll)
		for round := 0; ; round++ {
			name := names[round%len(names)]
			node, record := "/servicegroups/churn/"+name, "/servicegroups/.roster/churn/"+name
			create := []any{
				&zkclient.CreateRequest{Path: record, Data: []byte(aRecord), Acl: acl},
				&zkclient.CreateRequest{Path: node, Acl: acl, Flags: zkclient.FlagEphemeral},
			}
			move := []any{&zkclient.DeleteRequest{Path: node}, create[1]}
			remove := []any{&zkclient.DeleteRequest{Path: node}, &zkclient.DeleteRequest{Path: record}}
			for _, ops := range [][]any{create, move, move, remove} {
				if _, err := c.Multi(ops...); err != nil {
					return err
				}
				changes.Add(1)
			}
		}
	}
	const workers = 4
	ended := make(chan error, workers)
	clients := make([]*zkclient.Conn, workers)
	for i := range clients {
		clients[i] = foreign(t, server.Addr())
		go func() { ended <- churn(clients[i], i) }()
	}

	polls, seen := 0, 0
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); polls++ {
		p := poll(t, d)
		for _, m := range p.Members {
			require.True(t, m.Up, "%s is taken for dead", m.Name)
			require.True(t, m.Rostered, "%s is taken for a stranger", m.Name)
		}
		seen += len(p.Members)
		require.Equal(t, "up", states(p)["churn/stays"])
	}
	for i := range clients {
		clients[i].Close()
	}
	for range clients {
		require.Error(t, <-ended, "until its connection was closed")
	}
	t.Logf("%d polls saw %d members in %d changes", polls, seen, changes.Load())
	require.Greater(t, polls, 100)
	require.Greater(t, seen, polls)
	require.Greater(t, changes.Load(), int64(1000))
}

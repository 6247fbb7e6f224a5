package zk_test

import (
	"cmp"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// servers are the servers that tests share, because each takes a second to start. They end with the last test.
var servers = pool{bench: testserver.Bench{Out: os.Stderr}}

// A pool has servers that no test uses now. They have no znodes.
type pool struct {
	bench testserver.Bench
	mu    sync.Mutex
	free  []*testserver.ZK
}

// superDigest is the hash of the administrator's password, which the server compares with. An administrator may delete every znode.
const (
	superPassword = "super:secret"
	superDigest   = "-Dzookeeper.DigestAuthenticationProvider.superDigest=super:lK75jTNcA+U9vtVEw5vB51mj/w4="
)

// emptyServer returns a server without znodes. When the test ends, its znodes are deleted and the next test gets the server. The test
// must neither stop nor freeze it.
func emptyServer(t *testing.T) *testserver.ZK {
	t.Helper()
	servers.mu.Lock()
	var server *testserver.ZK
	if n := len(servers.free); n > 0 {
		server, servers.free = servers.free[n-1], servers.free[:n-1]
	}
	servers.mu.Unlock()
	if server == nil {
		server = testserver.ZooKeeper(&servers.bench, superDigest)
	}
	t.Cleanup(func() {
		if t.Failed() { // What the server is in now may make another test fail, too.
			t.Logf("log of zookeeper:\n%s", server.Log())
			return
		}
		empty(t, server)
		servers.mu.Lock()
		defer servers.mu.Unlock()
		servers.free = append(servers.free, server)
	})
	return server
}

// empty deletes all znodes of a server. A client whose session has not expired yet may create another one meanwhile.
func empty(t *testing.T, server *testserver.ZK) {
	t.Helper()
	client, _, err := zkclient.Connect([]string{server.Addr()}, 4*time.Second, zkclient.WithLogger(quiet{}))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.AddAuth("digest", []byte(superPassword)))
	testserver.Eventually(t, func() bool { return deleteBelow(client, "") == nil }, prompt, 20*time.Millisecond, "the znodes are deleted")
}

func deleteBelow(client *zkclient.Conn, parent string) error {
	children, _, err := client.Children(cmp.Or(parent, "/"))
	if err != nil {
		return err
	}
	for _, child := range children {
		path := parent + "/" + child
		if path == "/zookeeper" {
			continue
		}
		if err := deleteBelow(client, path); err != nil && !errors.Is(err, zkclient.ErrNoNode) {
			return err
		}
		if err := client.Delete(path, -1); err != nil && !errors.Is(err, zkclient.ErrNoNode) {
			return err
		}
	}
	return nil
}

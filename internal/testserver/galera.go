package testserver

import (
	"context"
	"fmt"
	"os"
	"time"
)

// galeraProvider is where Debian's package has Galera's library.
const galeraProvider = "/usr/lib/galera/libgalera_smm.so"

// Galera starts a real Galera node, and a second one with more weight: when the two lose each other, the first has no quorum.
// The second is there only for that. It has no data, since nothing is copied to it.
func Galera(t TB) *SQL {
	t.Helper()
	if _, err := os.Stat(galeraProvider); err != nil {
		t.Fatalf("Galera is not installed: run `make deps`, or `apt-get install galera-4`")
	}
	first := loopback(Port(t))
	node := galeraNode(t, first, "", 1)
	galeraNode(t, loopback(Port(t)), first, 2)
	pool := node.pool("")
	defer pool.Close()
	Eventually(t, func() bool {
		var name string
		var size int
		err := pool.QueryRowContext(context.Background(), "SHOW STATUS LIKE 'wsrep_cluster_size'").Scan(&name, &size)
		return err == nil && size == 2
	}, startTimeout, 100*time.Millisecond, "the cluster has two nodes")
	return node
}

// galeraNode starts a node that listens for other nodes at an address.
func galeraNode(t TB, listen, cluster string, weight int) *SQL {
	t.Helper()
	return MariaDB(t,
		"--wsrep-on=ON", "--wsrep-provider="+galeraProvider, "--wsrep-cluster-address=gcomm://"+cluster,
		"--wsrep-sst-method=skip", "--wsrep-node-address="+listen, "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
		fmt.Sprintf("--wsrep-provider-options=gmcast.listen_addr=tcp://%s;ist.recv_addr=%s;pc.weight=%d;gcache.size=16M",
			listen, loopback(Port(t)), weight))
}

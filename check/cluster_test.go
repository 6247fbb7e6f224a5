package check_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A Galera node behind a load balancer says itself why it can't be used.
func TestGalera(t *testing.T) {
	t.Parallel()
	node := testserver.Galera(t)
	db := novaTable(t, node, "nova")
	execute(t, db, "CREATE USER reader@'%'; GRANT SELECT ON nova.services TO reader@'%'")
	dsn := "mysql://reader@" + testserver.HAProxy(t, node.Addr()).Addr() + "/nova"
	reads := func() bool {
		_, err := db.ExecContext(t.Context(), "SELECT COUNT(*) FROM services")
		return err == nil
	}
	require.Contains(t, of(run(t, novaSource(dsn), patient), "source nova", "cluster"), "ok: the Galera node is Synced, one of 2 in a cluster that is Primary")
	for _, fault := range []struct{ name, begin, end, says string }{
		{
			"no quorum", "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'", "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'",
			"failure: the Galera node refuses queries: it is Initialized in a cluster that is non-Primary",
		},
		{
			"queries are refused", "SET GLOBAL wsrep_reject_queries = ALL", "SET GLOBAL wsrep_reject_queries = NONE",
			"failure: the Galera node refuses queries: wsrep_reject_queries is set",
		},
		{"desynced", "SET GLOBAL wsrep_desync = 1", "SET GLOBAL wsrep_desync = 0", "warning: the Galera node is Donor/Desynced"},
	} {
		execute(t, db, fault.begin)
		if fault.name != "desynced" {
			testserver.Eventually(t, func() bool { return !reads() }, patient, 50*time.Millisecond, "%s", fault.name)
		}
		lines := run(t, novaSource(dsn), impatient)
		require.Contains(t, of(lines, "source nova", "cluster"), fault.says, fault.name)
		requireRemedies(t, lines)
		if fault.name != "desynced" {
			require.Contains(t, of(lines, "source nova", "read"), "failure: can't be read (", fault.name)
		}
		execute(t, db, fault.end)
		testserver.Eventually(t, reads, patient, 50*time.Millisecond, "the node is healthy again")
	}
}

// Servers without a quorum say so, and one that is away is a warning while the others have a quorum.
func TestQuorum(t *testing.T) {
	t.Parallel()
	servers := testserver.ZooKeeperEnsemble(t, 3)
	list := servers[0].Addr() + "', '" + servers[1].Addr() + "', '" + servers[2].Addr()
	configuration := zkSource("'"+list+"'", "")
	servers[0].Kill()
	testserver.Leader(t, servers[1:])
	lines := run(t, configuration, patient)
	require.Contains(t, of(lines, "source zk", "read"), "ok: ")
	require.Contains(t, of(lines, "source zk", "server"), "warning: can't connect to "+servers[0].Addr())
	servers[1].Kill()
	testserver.Eventually(t, func() bool { return servers[2].Mode() == "" }, patient, 50*time.Millisecond, "it has no quorum")
	lines = run(t, configuration, impatient)
	require.Contains(t, of(lines, "source zk", "read"), "failure: can't be read (")
	require.Contains(t, of(lines, "source zk", "server"), "failure: "+servers[2].Addr()+" has no quorum → start the other servers")
	requireRemedies(t, lines)
}

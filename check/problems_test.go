package check_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A problem that a poll reports has a line, which is a failure where the source has no member.
func TestProblems(t *testing.T) {
	t.Parallel()
	server := testserver.ZooKeeper(t)
	join(t, zkSource(server.Addr(), ""), "c1")
	for name, test := range map[string]struct{ settings, says string }{
		"absent chroot": {", chroot: /prood", "failure: absent: "},
		"absent prefix": {", prefix: /servicegruops", "failure: absent: "},
		"absent group":  {", groups: [compute, conductor]", "warning: absent: "},
		"no such group": {", groups: [compuet]", "failure: absent: "},
	} {
		t.Run(name, func(t *testing.T) {
			lines := run(t, zkSource(server.Addr(), test.settings), patient)
			require.Contains(t, of(lines, "source zk", "problem"), test.says)
			requireRemedies(t, lines)
		})
	}
	t.Run("absent file", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "missing", "members.db")
		lines := run(t, fmt.Sprintf("sources: [{name: local, driver: db, db: {dsn: 'sqlite:///%s'}}]\n", missing), patient)
		require.Contains(t, of(lines, "source local", "problem"), "failure: absent: ")
	})
}

// Each cell of a Nova is a target, and the database that lists them too.
func TestNovaCells(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	api := server.Open(t, "nova_api")
	execute(t, api, `CREATE TABLE cell_mappings (uuid VARCHAR(36), name VARCHAR(255), database_connection TEXT);
		CREATE TABLE aggregate_hosts (host VARCHAR(255), aggregate_id INT);
		CREATE TABLE aggregate_metadata (aggregate_id INT, `+"`key` VARCHAR(255), `value` VARCHAR(255));"+`
		CREATE USER nova@'%' IDENTIFIED BY 'hunter2'; GRANT ALL ON nova_api.* TO nova@'%'; GRANT ALL ON nova.* TO nova@'%';`+
		fmt.Sprintf("INSERT INTO cell_mappings VALUES ('1', 'cell1', 'mysql+pymysql://nova:hunter2@%[1]s/nova'), "+
			"('2', 'cell2', 'mysql+pymysql://nova:hunter2@%[2]s/nova')", server.Addr(), closedPort(t)))
	novaTable(t, server, "nova")
	conf := filepath.Join(t.TempDir(), "nova.conf")
	write(t, conf, fmt.Sprintf("[api_database]\nconnection = mysql+pymysql://nova:hunter2@%s/nova_api\n", server.Addr()))
	lines := run(t, "sources: [{name: nova, driver: db, db: {nova_conf: "+conf+"}}]\n", patient)
	require.Contains(t, of(lines, "source nova", "members"), "ok: has no members itself: it lists the databases of Nova's cells")
	require.Contains(t, of(lines, "source nova/cell1", "read"), "ok: ")
	require.Contains(t, of(lines, "source nova/cell1", "login"), "warning: logged in as nova@%, which may do more than reading needs: ALL PRIVILEGES on ")
	require.Contains(t, of(lines, "source nova/cell2", "read"), "failure: can't be read (connect): ")
	for _, l := range lines {
		require.NotContains(t, l.Text+l.Remedy, "hunter2")
	}
}

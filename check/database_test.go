package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/check"
	"servicegroup_exporter/internal/testserver"
)

// novaSource returns the configuration of a source of Nova's table.
func novaSource(dsn string) string {
	return "sources:\n- name: nova\n  driver: db\n  db: {dsn: \"" + dsn + "\", service_down_time: 20s, report_interval: 1s}\n  poll_interval: 1s\n"
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := novaTable(t, server, "nova")
	execute(t, db, `CREATE USER reader@'%' IDENTIFIED BY 'read'; GRANT SELECT ON nova.services TO reader@'%';
		CREATE USER columns@'%'; GRANT SELECT (host, topic, deleted), INSERT (host) ON nova.services TO columns@'%';
		CREATE USER novice@'%' IDENTIFIED BY 'hunter2'; GRANT ALL ON nova.* TO novice@'%' WITH GRANT OPTION;
		CREATE USER everything@'%'; GRANT SELECT ON *.* TO everything@'%'; CREATE USER nothing@'%'; CREATE DATABASE empty; CREATE USER other@'%';
		GRANT SELECT ON empty.* TO other@'%'; CREATE USER canary@'%'; GRANT SELECT ON nova.services TO canary@'%';
		CREATE TABLE nova.servicegroup_canary (id INT); GRANT ALL ON nova.servicegroup_canary TO canary@'%'`)
	at := func(user, database string) string { return "mysql://" + user + "@" + server.Addr() + "/" + database }
	join(t, novaSource(at("root:", "nova")), "c1", "c2")

	t.Run("healthy", func(t *testing.T) {
		lines := run(t, novaSource(at("reader:read", "nova")), patient)
		require.Empty(t, worse(lines))
		require.Contains(t, of(lines, "source nova", "server"), "MariaDB")
		require.Contains(t, of(lines, "source nova", "server"), server.Addr()+"/nova")
		require.Contains(t, of(lines, "source nova", "login"), "reader@%, which may only read: SELECT on `nova`.`services`")
		require.Contains(t, of(lines, "source nova", "members"), "1 group, 2 members: 2 up (compute 2 of 2)")
		require.Contains(t, of(lines, "source nova", "heartbeat"), "heartbeat timeout 20s; members report every 1s")
		require.Contains(t, of(lines, "source nova", "tls"), "is not encrypted; it does not leave this machine")
		require.Contains(t, of(lines, "source nova", "latency"), "at most 21s after the last proof of life")
	})
	t.Run("cases", func(t *testing.T) {
		for name, test := range map[string]struct{ dsn, subject, says string }{
			"wrong password": {at("reader:other", "nova"), "read", "failure: can't be read (auth): "},
			"unknown user":   {at("stranger:x", "nova"), "read", "failure: can't be read (auth): "},
			"wrong database": {at("reader:read", "noba"), "read", "failure: can't be read (auth): "},
			"missing table":  {at("other:", "empty"), "read", "failure: can't be read (schema): "},
			"no grant":       {at("nothing:", "nova"), "read", "failure: can't be read (auth): "},
			"all privileges": {at("novice:hunter2", "nova"), "login", "warning: logged in as novice@%, which may do more than reading needs: " +
				"ALL PRIVILEGES on `nova`.*, GRANT OPTION on `nova`.* → give the exporter an account of its own: " +
				"CREATE USER exporter@'%' IDENTIFIED BY '…'; GRANT SELECT ON `nova`.`services` TO exporter@'%'"},
			"reads everything":  {at("everything:", "nova"), "login", "warning: logged in as everything@%, which may do more than reading needs: SELECT on *.*"},
			"writes a column":   {at("columns:", "nova"), "login", "warning: logged in as columns@%, which may do more than reading needs: INSERT on `nova`.`services`"},
			"writes the canary": {at("canary:", "nova"), "login", "ok: logged in as canary@%, which may only read: SELECT on `nova`.`services`"},
			"wrong port":        {"mysql://reader:read@" + closedPort(t) + "/nova", "read", "failure: can't be read (connect): "},
			"another clock":     {"reader:read@tcp(" + server.Addr() + ")/nova?timestamp=1700000000", "clock", "warning: the backend's clock and this machine's differ by "},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				lines := run(t, novaSource(test.dsn), patient)
				require.Contains(t, of(lines, "source nova", test.subject), test.says)
				requireRemedies(t, lines)
				require.NotContains(t, strings.Join(worse(lines), "\n"), "hunter2")
			})
		}
	})
	t.Run("only reads", func(t *testing.T) {
		execute(t, db, "SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1")
		run(t, novaSource(at("novice:hunter2", "nova")), patient)
		execute(t, db, "SET GLOBAL general_log = 0")
		rows, err := db.QueryContext(t.Context(), "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"+
			" WHERE user_host LIKE '%novice%' AND command_type NOT IN ('Connect', 'Quit')")
		require.NoError(t, err)
		defer rows.Close()
		statements := 0
		for ; rows.Next(); statements++ {
			var statement string
			require.NoError(t, rows.Scan(&statement))
			require.Regexp(t, `^(/\*.*\*/ )?(SELECT|SHOW|SET) `, statement)
			require.NotContains(t, statement, "GLOBAL ")
		}
		require.NoError(t, rows.Err())
		require.Greater(t, statements, 5)
	})
	t.Run("read-only", func(t *testing.T) {
		execute(t, db, "SET GLOBAL read_only = 1")
		defer execute(t, db, "SET GLOBAL read_only = 0")
		lines := run(t, novaSource(at("reader:read", "nova")), impatient)
		require.Contains(t, of(lines, "source nova", "server"), "warning: the server is read-only (read_only is set)")
	})
	t.Run("frozen", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		lines := run(t, novaSource(at("reader:read", "nova")), impatient)
		require.Contains(t, of(lines, "source nova", "read"), "failure: can't be read (timeout): ")
		requireRemedies(t, lines)
	})
}

// requireRemedies requires a remedy of every failure.
func requireRemedies(t *testing.T, lines []check.Line) {
	t.Helper()
	for _, l := range lines {
		if l.Status == "failure" {
			require.NotEmpty(t, l.Remedy, l.Text)
		}
	}
}

// closedPort returns the address of a port on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
}

// Heartbeats that all stop while members are up are a warning: the members can't write.
func TestHeartbeatsStopped(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := novaTable(t, server, "nova")
	const row = "INSERT INTO services (host, `binary`, topic, report_count, disabled, deleted, created_at, last_seen_up) " +
		"VALUES ('%s', 'nova-compute', 'compute', 1, 0, 0, UTC_TIMESTAMP(), UTC_TIMESTAMP() - INTERVAL %d SECOND)"
	execute(t, db, fmt.Sprintf(row, "c1", 600)+";"+fmt.Sprintf(row, "c2", 900))
	check := func(downTime string) string {
		text := strings.Replace(novaSource("mysql://root@"+server.Addr()+"/nova"), "service_down_time: 20s", "service_down_time: "+downTime, 1)
		return of(run(t, text, impatient), "source nova", "heartbeat")
	}
	require.Regexp(t, "^warning: all heartbeats have stopped: when check began, the newest was (10m|60[0-9]).* old, and the heartbeat timeout is 16m40s", check("1000s"))
	require.Contains(t, check("2000s"), "ok: heartbeat timeout 33m20s; the reporting interval is not known")
	require.Contains(t, check("60s"), "ok: heartbeat timeout 1m; the reporting interval is not known, because no member is up")
}

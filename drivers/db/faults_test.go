package db

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// The error and its reason say why a database can't be read.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed, "rows.sql")
	exec(t, db, `
		CREATE DATABASE other; CREATE TABLE other.services (name TEXT, deleted INT); CREATE DATABASE bare;
		CREATE USER reader IDENTIFIED BY 'open sesame'; GRANT SELECT ON nova.services TO reader;
		CREATE USER columns; GRANT SELECT (topic, host, `+"`binary`"+`, deleted, disabled, forced_down, last_seen_up,
			created_at, uuid) ON nova.services TO columns;
		CREATE USER stranger; GRANT SELECT ON other.* TO stranger;
		CREATE USER neighbour; GRANT SELECT (id) ON nova.services TO neighbour`)
	address := server.Addr()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)

	for _, test := range []struct {
		dsn    string
		reason drivers.Reason // empty: no error
		text   string         // in the error
	}{
		{"mysql://reader:open%20sesame@" + address + "/nova", "", ""},
		{"mysql://columns@" + address + "/nova", "", ""},
		{"mysql://reader:abracadabra@" + address + "/nova", drivers.ReasonAuth, "check user and password"},
		{"mysql://reader:open%20sesame@" + address + "/other", drivers.ReasonAuth, "GRANT SELECT"},
		{"mysql://stranger@" + address + "/nova", drivers.ReasonAuth, "GRANT SELECT"},
		{"mysql://neighbour@" + address + "/nova", drivers.ReasonAuth, "GRANT SELECT"},
		{"mysql://root@" + address + "/bare", drivers.ReasonSchema, "is this the right database?"},
		{"mysql://root@" + address + "/other", drivers.ReasonSchema, "the table is not laid out as the schema says"},
		{"mysql://root@" + address + "/missing", drivers.ReasonSchema, "check the database's name"},
		{"mysql://root@127.0.0.1:1/nova", drivers.ReasonConnect, "connection refused"},
		{"mysql://root@host.invalid:" + port + "/nova", drivers.ReasonConnect, "host.invalid"},
		{"mysql://root@/nova?unix_socket=/does/not/exist", drivers.ReasonConnect, "/does/not/exist/nova"},
	} {
		p, err := open(t, config(test.dsn)).Members(t.Context())
		if test.reason == "" {
			require.NoError(t, err, test.dsn)
			require.Len(t, p.Members, 12)
			continue
		}
		require.ErrorIs(t, err, drivers.ErrUnavailable, test.dsn)
		require.Equal(t, test.reason, drivers.ReasonOf(err), "%s: %v", test.dsn, err)
		require.ErrorContains(t, err, test.text, test.dsn)
		require.NotContains(t, err.Error(), "abracadabra")
		require.NotContains(t, err.Error(), "sesame")
	}

	// With an account that may not write, Join returns an error that says so.
	d := open(t, config("mysql://reader:open%20sesame@"+address+"/nova"))
	_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), err)
	require.ErrorContains(t, err, "GRANT SELECT, INSERT and UPDATE")
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(d.Leave(t.Context(), "compute", "compute-01")))
}

// The setting password replaces the DSN's.
func TestPassword(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed)
	exec(t, db, "CREATE USER reader IDENTIFIED BY 'open sesame'; GRANT SELECT ON nova.services TO reader")
	cfg := config("mysql+pymysql://reader:forgotten@" + server.Addr() + "/nova")
	cfg.Password = drivers.SecretText("open sesame")
	poll(t, open(t, cfg))
}

// A poll of a server that is not a MySQL server ends no later than its context.
func TestOtherServers(t *testing.T) {
	for name, test := range map[string]struct {
		serve  func(net.Conn)
		reason drivers.Reason
	}{
		"silent": {func(net.Conn) { time.Sleep(time.Minute) }, drivers.ReasonTimeout},
		"closes": {func(c net.Conn) { c.Close() }, drivers.ReasonConnect},
		"greets": {func(c net.Conn) { fmt.Fprint(c, "220 mail.example ESMTP\r\n"); c.Close() }, drivers.ReasonConnect},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go test.serve(conn)
				}
			}()
			d := open(t, patient("mysql://root@"+listener.Addr().String()+"/nova"))
			_, err = d.Members(short(t, 300*time.Millisecond))
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, test.reason, drivers.ReasonOf(err), err)

			// Without a deadline the poll ends after the configured timeout.
			cfg := config("mysql://root@" + listener.Addr().String() + "/nova")
			cfg.Timeout = drivers.Duration(300 * time.Millisecond)
			_, err = open(t, cfg).Members(context.Background())
			require.Equal(t, test.reason, drivers.ReasonOf(err), err)
		})
	}
}

// The server itself ends a query after the limit. The query here computes for minutes: without a limit it would continue
// after its client has disconnected.
func TestServerSideLimit(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed, "rows.sql")
	exec(t, db, `RENAME TABLE services TO hosts; CREATE VIEW services AS SELECT host, topic, `+"`binary`"+`, deleted, disabled,
		updated_at, created_at, BENCHMARK(1000000000, SHA2('x', 512)) AS disabled_reason FROM hosts`)
	d := open(t, patient(server.DSN("nova")))
	const running = `information_schema.processlist WHERE info LIKE '%services%' AND info NOT LIKE '%processlist%'`
	for range 3 {
		_, err := d.Members(short(t, 300*time.Millisecond))
		require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err), err)
	}
	testserver.Eventually(t, func() bool { return count(t, db, running) == 0 }, time.Minute, 50*time.Millisecond,
		"no query goes on without a reader")
	exec(t, db, "DROP VIEW services; RENAME TABLE hosts TO services")
	require.Len(t, poll(t, d).Members, 12)
}

func count(t *testing.T, db *sql.DB, from string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(context.Background(), "SELECT COUNT(*) FROM "+from).Scan(&n))
	return n
}

// While a server is stopped or hangs, polls fail in time and leave no goroutines behind; later polls succeed again.
func TestOutages(t *testing.T) {
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed, "rows.sql")
	d := open(t, patient(server.DSN("nova")))
	poll(t, d)
	for _, outage := range []struct {
		name       string
		begin, end func()
		reason     drivers.Reason
	}{
		{"stopped", server.Stop, server.Start, drivers.ReasonConnect},
		{"frozen", server.Freeze, server.Thaw, drivers.ReasonTimeout},
	} {
		t.Run(outage.name, func(t *testing.T) {
			reconnects := d.Counts().Reconnects
			goroutines := runtime.NumGoroutine()
			outage.begin()
			for range 20 {
				_, err := d.Members(short(t, 100*time.Millisecond))
				require.ErrorIs(t, err, drivers.ErrUnavailable)
			}
			_, err := d.Members(short(t, time.Second))
			require.Equal(t, outage.reason, drivers.ReasonOf(err), err)
			require.LessOrEqual(t, d.database.(*mysqlDatabase).pool.db().Stats().OpenConnections, maxConnections)
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, time.Minute, 10*time.Millisecond,
				"goroutines pile up")
			outage.end()
			require.Eventually(t, func() bool {
				p, err := d.Members(t.Context())
				return err == nil && len(p.Members) == 12
			}, time.Minute, 50*time.Millisecond)
			require.Greater(t, d.Counts().Reconnects, reconnects)
			testserver.Eventually(t, func() bool {
				return count(t, db, "information_schema.processlist WHERE command <> 'Daemon'") <= maxConnections+1
			}, time.Minute, 50*time.Millisecond, "few connections are open")
		})
	}
}

// Close ends the calls under way, and calls after it fail.
func TestClose(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	table(t, server, "nova", zed)
	d := open(t, patient(server.DSN("nova")))
	poll(t, d)
	_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.NoError(t, err)
	server.Freeze()
	defer server.Thaw()
	hung := make(chan error)
	go func() {
		_, err := d.Members(t.Context())
		hung <- err
	}()
	require.Eventually(t, func() bool { return d.database.(*mysqlDatabase).pool.db().Stats().InUse == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, d.Close())
	require.ErrorIs(t, <-hung, drivers.ErrUnavailable) // Its own timeout is an hour.
	_, err = d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorContains(t, err, "the driver is closed")
	_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorIs(t, d.Leave(t.Context(), "compute", "one"), drivers.ErrUnavailable)
}

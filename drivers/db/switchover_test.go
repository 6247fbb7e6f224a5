package db

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// within is the time that a real cluster of servers may need for a change on a busy machine.
const within = 60 * time.Second

// beats are the times of quick members: a heartbeat each second, dead after six.
func beats(dsn string) Config {
	cfg := config(dsn)
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(6*time.Second), drivers.Duration(time.Second)
	return cfg
}

// heartbeats are the times of the heartbeats of a member, as another client sees them.
func heartbeats(t *testing.T, db *sql.DB, host string) (n int) {
	t.Helper()
	query := "SELECT report_count FROM services WHERE host = '" + host + "'"
	err := db.QueryRowContext(t.Context(), query).Scan(&n)
	if !errors.Is(err, sql.ErrNoRows) {
		require.NoError(t, err)
	}
	return n
}

func joinAs(t *testing.T, d *Driver, name string) drivers.Membership {
	t.Helper()
	m, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: name})
	require.NoError(t, err)
	return m
}

// A Galera node that loses its quorum, or refuses queries, stays connected. The poll or heartbeat that notices that is
// tried again on a new connection, which the load balancer leads to the healthy node.
func TestGaleraNodeIsCondemned(t *testing.T) {
	t.Parallel()
	node, other := testserver.Galera(t), testserver.MariaDB(t)
	sick, healthy := table(t, node, "nova", zed, "rows.sql"), table(t, other, "nova", zed, "rows.sql")
	for _, db := range []*sql.DB{sick, healthy} {
		exec(t, db, grantNova)
	}
	balancer := testserver.HAProxy(t, node.Addr(), other.Addr())
	dsn := "mysql://nova@" + balancer.Addr() + "/nova"

	for _, fault := range []struct{ name, begin, end string }{
		{"no quorum", "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'", "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'"},
		{"queries are refused", "SET GLOBAL wsrep_reject_queries = ALL", "SET GLOBAL wsrep_reject_queries = NONE"},
		{"read only", "SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			balancer.Lead(0)
			reader, writer := open(t, beats(dsn)), open(t, beats(dsn))
			member := joinAs(t, writer, fault.name)
			var id int
			require.NoError(t, sick.QueryRowContext(t.Context(), "SELECT MAX(id) FROM services").Scan(&id))
			insert(t, healthy, fault.name, map[string]string{"id": strconv.Itoa(id)}) // as replication does
			require.NotEmpty(t, poll(t, reader).Members)
			exec(t, sick, fault.begin)
			defer exec(t, sick, fault.end)
			if fault.name == "no quorum" {
				testserver.Eventually(t, func() bool {
					_, err := sick.ExecContext(t.Context(), "SELECT COUNT(*) FROM services")
					return err != nil
				}, within, 50*time.Millisecond, "the node has no quorum")
			}
			balancer.Lead(1)
			require.NotEmpty(t, poll(t, reader).Members, "the first poll already")
			before := heartbeats(t, healthy, fault.name)
			testserver.Eventually(t, func() bool { return heartbeats(t, healthy, fault.name) > before }, within, 50*time.Millisecond,
				"heartbeats reach the healthy node")
			require.NoError(t, member.Leave(t.Context()))
		})
		testserver.Eventually(t, func() bool {
			_, err := sick.ExecContext(t.Context(), "SELECT COUNT(*) FROM services")
			return err == nil
		}, within, 50*time.Millisecond, "the node is healthy again")
	}
}

// freeze sets the heartbeats of all rows in the table to some seconds ago.
func freeze(t *testing.T, db *sql.DB, seconds string) {
	t.Helper()
	exec(t, db, "UPDATE services SET last_seen_up = UTC_TIMESTAMP() - INTERVAL "+seconds+" SECOND")
}

// beatOn sends the heartbeats of all rows of a table until the test ends.
func beatOn(t *testing.T, statement string, db *sql.DB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for ctx.Err() == nil {
			_, _ = db.ExecContext(ctx, statement)
			time.Sleep(200 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-stopped })
}

const (
	// An ordinary account, which read_only binds.
	grantNova    = "CREATE USER nova; GRANT SELECT, INSERT, UPDATE ON nova.* TO nova"
	beatMariaDB  = "UPDATE services SET last_seen_up = UTC_TIMESTAMP()"
	beatPostgres = "UPDATE services SET last_seen_up = clock_timestamp() AT TIME ZONE 'UTC'"
)

// After a planned switchover the old primary stays reachable and read-only, where all heartbeats stop. No member is said to
// be down, and a member that joined through the old primary continues at the new one.
func TestSwitchover(t *testing.T) {
	t.Parallel()
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		a, b := testserver.MariaDB(t), testserver.MariaDB(t)
		for _, server := range []*testserver.SQL{a, b} {
			exec(t, server.Open(t, "nova"), grantNova)
		}
		testSwitchover(t, a, b, "mysql://nova@", beatMariaDB, "SET GLOBAL read_only = 1")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		a, b := testserver.PostgreSQL(t), testserver.PostgreSQL(t)
		testSwitchover(t, a, b, "postgresql://postgres@", beatPostgres,
			"ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()")
	})
}

func testSwitchover(t *testing.T, a, b dbServer, prefix, beat, demote string) {
	old, now := table(t, a, "nova", zed), table(t, b, "nova", zed)
	for _, db := range []*sql.DB{old, now} {
		for _, host := range []string{"one", "two", "three"} {
			insert(t, db, host, nil)
		}
	}
	balancer := testserver.HAProxy(t, a.Addr(), b.Addr())
	d := open(t, beats(prefix+balancer.Addr()+"/nova"))
	joiner := open(t, beats(prefix+balancer.Addr()+"/nova"))
	exec(t, old, beat)
	for _, m := range poll(t, d).Members {
		require.True(t, m.Up, m.Name)
	}
	joinAs(t, joiner, "joined")
	// Replication has brought the row of the member to the new primary.
	id := 0
	require.NoError(t, old.QueryRowContext(t.Context(), "SELECT id FROM services WHERE host = 'joined'").Scan(&id))
	insert(t, now, "joined", map[string]string{"id": "4"})
	require.Equal(t, 4, id)

	for statement := range strings.SplitSeq(demote, "; ") {
		exec(t, old, statement)
	}
	balancer.Lead(1)
	exec(t, now, beat)
	beatOn(t, beat+" WHERE host <> 'joined'", now)
	begun, before := time.Now(), heartbeats(t, now, "joined")
	for time.Since(begun) < 10*time.Second { // longer than service_down_time
		for _, m := range poll(t, d).Members {
			require.True(t, m.Up, "%s, %v after the switchover", m.Name, time.Since(begun))
		}
		time.Sleep(200 * time.Millisecond)
	}
	testserver.Eventually(t, func() bool { return heartbeats(t, now, "joined") > before+2 }, within, 50*time.Millisecond,
		"the heartbeats of the member reach the new primary")
	require.LessOrEqual(t, d.Counts().Reconnects, uint64(3), "only while all heartbeats stop, a connection is new")
}

// A name that has another address is resolved again, although the server at the old one continues, and accepts heartbeats. A member that
// has joined moves, too, before its last heartbeat at the new server is too old.
func TestOtherAddress(t *testing.T) {
	t.Parallel()
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		testOtherAddress(t, testserver.MariaDB(t), testserver.MariaDB(t), "mysql://root", "3306", beatMariaDB)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		testOtherAddress(t, testserver.PostgreSQL(t), testserver.PostgreSQL(t), "postgresql://postgres", "5432", beatPostgres)
	})
}

// testOtherAddress lets the name of a server lead to another one, to which all members move.
func testOtherAddress(t *testing.T, a, b dbServer, account, port, beat string) {
	t.Helper()
	host := "db" + port + ".example"
	servers := map[string]string{"192.0.2.1:" + port: a.Addr(), "192.0.2.2:" + port: b.Addr()}
	old, now := table(t, a, "nova", zed), table(t, b, "nova", zed)
	insert(t, old, "one", nil)
	insert(t, now, "one", nil)
	exec(t, old, beat)
	dns.Set(host, "192.0.2.1")
	cfg := beats(account + "@" + host + "/nova")
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(addr); net.ParseIP(host) == nil { // MySQL's client lets the dialer resolve names.
			found, err := net.DefaultResolver.LookupHost(ctx, host)
			if err != nil {
				return nil, err
			}
			addr = net.JoinHostPort(found[0], port)
		}
		return (&net.Dialer{}).DialContext(ctx, network, servers[addr])
	}
	d := open(t, cfg)
	require.True(t, find(poll(t, d), "one").Up)
	joinAs(t, open(t, cfg), "joined")
	insert(t, now, "joined", map[string]string{"id": "2"}) // as replication does
	exec(t, now, beat)
	dns.Set(host, "192.0.2.2")
	beatOn(t, beat+" WHERE host <> 'joined'", now)
	for begun := time.Now(); time.Since(begun) < 8*time.Second; time.Sleep(200 * time.Millisecond) {
		p := poll(t, d)
		require.True(t, find(p, "one").Up, time.Since(begun))
		require.True(t, find(p, "joined").Up, time.Since(begun))
	}
}

// Members that all died are down, and a pause of all heartbeats costs few connections.
func TestAllDied(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed)
	for _, host := range []string{"one", "two", "three"} {
		insert(t, db, host, map[string]string{"last_seen_up": "UTC_TIMESTAMP()"})
	}
	cfg := beats(server.DSN("nova"))
	cfg.ServiceDownTime = drivers.Duration(2 * time.Minute)
	d := open(t, cfg)
	require.Len(t, poll(t, d).Members, 3)
	for _, pause := range []string{"10", "20", "50", "110", "130"} {
		freeze(t, db, pause)
		for range 5 {
			poll(t, d)
		}
	}
	for _, m := range poll(t, d).Members {
		require.False(t, m.Up)
	}
	require.LessOrEqual(t, d.Counts().Reconnects, uint64(5))
	begun := d.Counts().Reconnects
	for range 20 {
		poll(t, d)
	}
	require.Equal(t, begun, d.Counts().Reconnects, "members that are dead for long cost no connections")
}

// If all heartbeats have stopped and no new connection can be made, the states are unknown.
func TestStalledAndUnreachable(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed)
	insert(t, db, "one", map[string]string{"last_seen_up": "UTC_TIMESTAMP()"})
	open := true
	cfg := beats(server.DSN("nova"))
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !open {
			return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("refused by the test")}
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	d, err := Open(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	require.True(t, find(poll(t, d), "one").Up)
	open = false
	freeze(t, db, "60")
	_, err = d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	open = true
	require.False(t, find(poll(t, d), "one").Up)
}

// The primary stops in order, and its standby is promoted. A standby shows what was replicated and accepts no heartbeats: no
// member is said to be down, and the heartbeats of a member that has joined reach the standby as soon as that is promoted.
func TestPromotion(t *testing.T) {
	t.Parallel()
	primary := testserver.PostgreSQL(t)
	db := table(t, primary, "nova", zed)
	insert(t, db, "other", nil)
	standby := primary.Standby()
	balancer := testserver.HAProxy(t, primary.Addr(), standby.Addr())
	dsn := "postgresql://postgres@" + balancer.Addr() + "/nova"
	d, joiner := open(t, beats(dsn)), open(t, beats(dsn))
	joinAs(t, joiner, "joined")
	exec(t, db, beatPostgres)
	require.True(t, find(poll(t, d), "other").Up)
	now, err := sql.Open("pgx", standby.DSN("nova"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, now.Close()) })
	testserver.Eventually(t, func() bool { return heartbeats(t, now, "joined") > 0 }, within, 50*time.Millisecond, "it is replicated")

	balancer.Lead(1)
	primary.Stop() // 57P01
	p, err := d.Members(t.Context())
	require.NoError(t, err, "the standby can be read")
	require.True(t, find(p, "joined").Up)
	before := heartbeats(t, now, "joined")
	time.Sleep(time.Duration(joiner.cfg.ReportInterval)) // A heartbeat is refused: 25006.
	require.Equal(t, before, heartbeats(t, now, "joined"))
	exec(t, now, "SELECT pg_promote()")
	exec(t, now, beatPostgres)
	testserver.Eventually(t, func() bool {
		p, err := d.Members(t.Context())
		require.NoError(t, err)
		require.True(t, find(p, "joined").Up)
		require.True(t, find(p, "other").Up)
		return heartbeats(t, now, "joined") > before+1
	}, within, 50*time.Millisecond, "heartbeats reach the new primary")
}

// A URL with several hosts, as libpq has it, leads to the server with the wanted role. When the roles change, it leads to another one.
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	primary := testserver.PostgreSQL(t)
	db := table(t, primary, "nova", zed)
	insert(t, db, "other", nil)
	exec(t, db, beatPostgres)
	standby := primary.Standby()
	dsn := func(servers ...dbServer) string {
		var addresses []string
		for _, s := range servers {
			addresses = append(addresses, s.Addr())
		}
		return "postgresql://postgres@" + strings.Join(addresses, ",") + "/nova?target_session_attrs="
	}
	isStandby := func(d *Driver) (is bool) {
		t.Helper()
		db, err := d.database.reader(t.Context())
		require.NoError(t, err)
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT pg_is_in_recovery()").Scan(&is))
		return is
	}
	testserver.Eventually(t, func() bool {
		p, err := open(t, beats(dsn(standby)+"any")).Members(t.Context())
		return err == nil && find(p, "other") != nil
	}, within, 50*time.Millisecond, "the standby has the row")
	for url, want := range map[string]bool{
		dsn(standby, primary) + "read-write": false, dsn(standby, primary) + "primary": false,
		dsn(primary, standby) + "read-only": true, dsn(primary, standby) + "standby": true, dsn(primary, standby) + "prefer-standby": true,
		dsn(standby, primary) + "any": true, dsn(primary, standby) + "any": false,
		dsn(primary) + "prefer-standby": false,
	} {
		d := open(t, beats(url))
		require.NotNil(t, find(poll(t, d), "other"), url)
		require.Equal(t, want, isStandby(d), url)
	}

	d := open(t, beats(dsn(primary, standby)+"read-write"))
	require.NotNil(t, find(poll(t, d), "other"))
	primary.Stop()
	_, err := d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable, "no server has the role")
	promoted, err := sql.Open("pgx", standby.DSN("nova"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, promoted.Close()) })
	exec(t, promoted, "SELECT pg_promote()")
	testserver.Eventually(t, func() bool {
		_, err := d.Members(t.Context())
		return err == nil && !isStandby(d)
	}, within, 50*time.Millisecond, "the new primary is read")
}

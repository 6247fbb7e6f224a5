package drill

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/probe"
)

// The settings of every backend in these tests.
const (
	downTime       = 3 * time.Second
	reportInterval = 500 * time.Millisecond
	pollInterval   = 100 * time.Millisecond
	serverTick     = 250 * time.Millisecond // the tickTime of the ZooKeeper servers that testserver starts
)

// A backend is a real backend. maxUnder and maxOver are how much smaller and larger reported detection latencies may be than
// the true ones; docs/drill.md explains them.
type backend struct {
	probe.Source
	maxUnder, maxOver time.Duration
	// countLeft counts the members that remain in the backend.
	countLeft func(t *testing.T) int
}

func source(driver string, open func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error)) probe.Source {
	return probe.Source{
		Name: "lab", Driver: driver, PollInterval: pollInterval, PollTimeout: 10 * time.Second, Open: open,
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func dbSource(dsn string) probe.Source {
	cfg := db.DefaultConfig()
	cfg.DSN = drivers.SecretText(dsn)
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(downTime), drivers.Duration(reportInterval)
	cfg = cfg.Private()
	return source("db", func(_ string, _ []string, dial drivers.Dialer) (drivers.Driver, error) {
		c := cfg
		c.Dial = dial
		return db.Open(c, discard())
	})
}

// createTable creates the table and the account with the statements of docs/drill.md. It returns a function that counts rows.
func createTable(t *testing.T, pool *sql.DB, ddl string) func(*testing.T) int {
	t.Helper()
	table, err := os.ReadFile(filepath.Join("..", "..", "drivers", "db", ddl))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "drill.md"))
	require.NoError(t, err)
	_, grants, found := strings.Cut(string(page), string(table)+"```\n\n```sql\n")
	require.True(t, found)
	grants, _, _ = strings.Cut(grants, "```")
	_, err = pool.ExecContext(t.Context(), string(table)+grants)
	require.NoError(t, err)
	return func(t *testing.T) int {
		t.Helper()
		var n int
		require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM servicegroup_canary").Scan(&n))
		return n
	}
}

func mariadb(t *testing.T) backend {
	server := testserver.MariaDB(t)
	countLeft := createTable(t, server.Open(t, "own"), "servicegroup_canary.mysql.sql")
	// The column stores whole seconds, so a heartbeat looks up to one second older than it is.
	return backend{dbSource("mysql://canary:change%20me@" + server.Addr() + "/own"), 0, reportInterval + time.Second, countLeft}
}

func postgres(t *testing.T) backend {
	server := testserver.PostgreSQL(t)
	countLeft := createTable(t, server.Open(t, "own"), "servicegroup_canary.postgresql.sql")
	return backend{dbSource("postgresql://canary:change%20me@" + server.Addr() + "/own"), 0, reportInterval, countLeft}
}

func sqlite(t *testing.T) backend {
	s := dbSource("sqlite:///" + filepath.Join(t.TempDir(), "members.db"))
	return backend{s, 0, reportInterval, countMembers(s)}
}

func zookeeper(t *testing.T) backend {
	return zkBackend(serverTick, testserver.ZooKeeper(t))
}

// Followers report the sessions that they heard from to the leader every half tick.
func ensemble(t *testing.T) backend {
	return zkBackend(serverTick*3/2, testserver.ZooKeeperEnsemble(t, 3)...)
}

func zkBackend(maxUnder time.Duration, servers ...*testserver.ZK) backend {
	cfg := zk.DefaultConfig()
	cfg.SessionTimeout = drivers.Duration(downTime)
	for _, s := range servers {
		cfg.Servers = append(cfg.Servers, s.Addr())
	}
	s := source("zk", func(group string, _ []string, dial drivers.Dialer) (drivers.Driver, error) {
		c := cfg.Private(group)
		c.Dial = dial
		return zk.Open(c, discard())
	})
	countLeft := func(t *testing.T) int {
		t.Helper()
		all := cfg.Private("")
		all.Groups = nil
		return countMembers(source("zk", func(string, []string, drivers.Dialer) (drivers.Driver, error) {
			return zk.Open(all, discard())
		}))(t)
	}
	// A ZooKeeper client sends a ping when it has sent nothing for a third of the session timeout.
	return backend{s, maxUnder, downTime / 3, countLeft}
}

func memcached(t *testing.T) backend { return memcachedAt(testserver.Memcached(t)) }

func memcachedAt(server *testserver.MC) backend {
	cfg := mc.DefaultConfig()
	cfg.Servers = []string{server.Addr()}
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(downTime), drivers.Duration(reportInterval)
	s := source("mc", func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
		c := cfg
		c.Dial = dial
		return mc.Open(c, mc.List(map[string][]string{group: names}), discard())
	})
	return backend{s, 0, reportInterval, func(*testing.T) int { return 0 }} // Keys can't be listed. Leave overwrites them.
}

// countMembers returns a function that counts the members that a driver of the source reads.
func countMembers(s probe.Source) func(*testing.T) int {
	return func(t *testing.T) int {
		t.Helper()
		d, err := s.Open("", nil, nil)
		require.NoError(t, err)
		defer d.Close()
		return len(membersOf(t, d))
	}
}

func membersOf(t *testing.T, d drivers.Driver) []drivers.Member {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	poll, err := d.Members(ctx)
	require.NoError(t, err)
	return poll.Members
}

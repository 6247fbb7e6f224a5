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

// The times of every backend here.
const (
	downTime       = 3 * time.Second
	reportInterval = 500 * time.Millisecond
	pollInterval   = 100 * time.Millisecond
	serverTick     = 250 * time.Millisecond // of testserver's ZooKeeper
)

// A backend is a real one, and by how much the detection latencies that are reported of deaths in it may be less and more
// than the truth: docs/drill.md says why.
type backend struct {
	probe.Source
	less, more time.Duration
	// left counts what members left behind.
	left func(t *testing.T) int
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

// ownTable makes the table as the documentation says, with an account that has the rights which it says, and counts rows.
func ownTable(t *testing.T, pool *sql.DB, ddl string) func(*testing.T) int {
	t.Helper()
	table, err := os.ReadFile(filepath.Join("..", "drivers", "db", ddl))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join("..", "docs", "drill.md"))
	require.NoError(t, err)
	_, rights, found := strings.Cut(string(page), string(table)+"```\n\n```sql\n")
	require.True(t, found)
	rights, _, _ = strings.Cut(rights, "```")
	_, err = pool.ExecContext(t.Context(), string(table)+rights)
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
	left := ownTable(t, server.Open(t, "own"), "servicegroup_canary.mysql.sql")
	// The column has whole seconds, so that a heartbeat looks up to one older than it is.
	return backend{dbSource("mysql://canary:change%20me@" + server.Addr() + "/own"), 0, reportInterval + time.Second, left}
}

func postgres(t *testing.T) backend {
	server := testserver.PostgreSQL(t)
	left := ownTable(t, server.Open(t, "own"), "servicegroup_canary.postgresql.sql")
	return backend{dbSource("postgresql://canary:change%20me@" + server.Addr() + "/own"), 0, reportInterval, left}
}

func sqlite(t *testing.T) backend {
	s := dbSource("sqlite:///" + filepath.Join(t.TempDir(), "members.db"))
	return backend{s, 0, reportInterval, membersLeft(s)}
}

func zookeeper(t *testing.T) backend {
	return zkBackend(serverTick, testserver.ZooKeeper(t))
}

// Followers tell their leader of the sessions that they have heard every half a tick.
func ensemble(t *testing.T) backend {
	return zkBackend(serverTick*3/2, testserver.ZooKeeperEnsemble(t, 3)...)
}

func zkBackend(less time.Duration, servers ...*testserver.ZK) backend {
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
	left := func(t *testing.T) int {
		t.Helper()
		all := cfg.Private("")
		all.Groups = nil
		return membersLeft(source("zk", func(string, []string, drivers.Dialer) (drivers.Driver, error) {
			return zk.Open(all, discard())
		}))(t)
	}
	// A client of ZooKeeper's sends a ping after a third of the timeout without any other word.
	return backend{s, less, downTime / 3, left}
}

func memcached(t *testing.T) backend {
	server := testserver.Memcached(t)
	cfg := mc.DefaultConfig()
	cfg.Servers = []string{server.Addr()}
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(downTime), drivers.Duration(reportInterval)
	s := source("mc", func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
		c := cfg
		c.Dial = dial
		return mc.Open(c, mc.List(map[string][]string{group: names}), discard())
	})
	return backend{s, 0, reportInterval, func(*testing.T) int { return 0 }} // Keys can't be listed, and are overwritten in the end.
}

// membersLeft counts the members that a driver of the source sees.
func membersLeft(s probe.Source) func(*testing.T) int {
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
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	poll, err := d.Members(ctx)
	require.NoError(t, err)
	return poll.Members
}

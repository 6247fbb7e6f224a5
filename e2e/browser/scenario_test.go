package browser

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// A table is a database table with heartbeats that the test writes.
type table struct {
	t    *testing.T
	path string
	db   *sql.DB
}

// newTable creates a table without rows.
func newTable(t *testing.T) *table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "members.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	s := &table{t, path, db}
	s.run(`CREATE TABLE members (pool TEXT, host TEXT, binary TEXT, zone TEXT, beat INTEGER, off INTEGER DEFAULT 0,
		reason TEXT DEFAULT '', forced INTEGER DEFAULT 0, version TEXT DEFAULT '31.2.0', alive INTEGER DEFAULT 1, PRIMARY KEY (pool, host))`)
	return s
}

func (s *table) run(statement string, arguments ...any) {
	s.t.Helper()
	_, err := s.db.ExecContext(context.Background(), statement, arguments...)
	require.NoError(s.t, err)
}

// add adds a live member.
func (s *table) add(group, host, binary, zone string) {
	s.t.Helper()
	s.run("INSERT INTO members (pool, host, binary, zone, beat) VALUES (?, ?, ?, ?, ?)",
		group, host, binary, zone, time.Now().UnixMilli())
}

// source returns the configuration of a source that reads the table.
func (s *table) source(name string, downTime, pollInterval time.Duration) string {
	return fmt.Sprintf(`
  - name: %s
    driver: db
    poll_interval: %s
    db:
      dsn: sqlite:///%s
      schema: custom
      service_down_time: %s
      custom: {table: members, group: pool, name: host, binary: binary, zone: zone, heartbeat: [beat], heartbeat_unit: milliseconds,
        disabled: 'off', disabled_reason: reason, forced_down: forced, version: version}
`, name, pollInterval, s.path, downTime)
}

// configuration returns a configuration with the sources.
func configuration(sources ...string) string { return "sources:\n" + strings.Join(sources, "") }

// beat writes heartbeats of all members that are alive until the test ends.
func (s *table) beat() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() {
		var err error
		for ; err == nil; time.Sleep(100 * time.Millisecond) {
			_, err = s.db.ExecContext(ctx, "UPDATE members SET beat = ? WHERE alive", time.Now().UnixMilli())
		}
		ended <- err
	}()
	s.t.Cleanup(func() {
		cancel()
		require.ErrorIs(s.t, <-ended, context.Canceled)
	})
}

// serveMembers serves a source with n live members, c1 and so on, in one group.
func serveMembers(t *testing.T, n int) (*table, *exporter) {
	t.Helper()
	members := newTable(t)
	for i := range n {
		members.add("compute", fmt.Sprintf("c%d", i+1), "nova-compute", "east")
	}
	return members, serve(t, configuration(members.source("cloud", hour, quick)))
}

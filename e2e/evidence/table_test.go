package evidence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// A table has heartbeats that the test writes.
type table struct {
	t          *testing.T
	name, path string
	db         *sql.DB
}

func newTable(t *testing.T, name string) *table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "members.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	s := &table{t, name, path, db}
	s.run("CREATE TABLE rows (pool TEXT, host TEXT, beat INTEGER, alive INTEGER DEFAULT 1, PRIMARY KEY (pool, host))")
	s.run("CREATE VIEW members AS SELECT * FROM rows") // The program reads it, so that the test can take it away.
	return s
}

func (s *table) run(statement string, arguments ...any) {
	s.t.Helper()
	_, err := s.db.ExecContext(context.Background(), statement, arguments...)
	require.NoError(s.t, err)
}

// add adds a member that is alive.
func (s *table) add(group, name string) {
	s.t.Helper()
	s.run("INSERT INTO rows (pool, host, beat) VALUES (?, ?, ?)", group, name, time.Now().UnixMilli())
}

// dies ends the heartbeats of a member.
func (s *table) dies(name string) { s.run("UPDATE rows SET alive = 0 WHERE host = ?", name) }

// beat writes the heartbeats of all members that are alive until the test ends.
func (s *table) beat() {
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() {
		var err error
		for ; err == nil; time.Sleep(100 * time.Millisecond) {
			_, err = s.db.ExecContext(ctx, "UPDATE rows SET beat = ? WHERE alive", time.Now().UnixMilli())
		}
		ended <- err
	}()
	s.t.Cleanup(func() {
		cancel()
		require.ErrorIs(s.t, <-ended, context.Canceled)
	})
}

// source returns the configuration of a source that reads the table, and suspects members soon. Its heartbeat timeout does not end
// during a test.
func (s *table) source() string {
	return fmt.Sprintf(`
  - name: %s
    driver: db
    poll_interval: 200ms
    suspicion: {margin: 1s}
    db:
      dsn: sqlite:///%s
      schema: custom
      service_down_time: 1h
      custom: {table: members, group: pool, name: host, heartbeat: [beat], heartbeat_unit: milliseconds}
`, s.name, s.path)
}

// learned waits until the program knows how often each member reports.
func (s *table) learned(url string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		type member struct {
			Interval float64 `json:"reporting_interval_seconds"`
		}
		members := decode[struct{ Members []member }](s.t, get(s.t, url+"/api/v1/members?source="+s.name)).Members
		for _, m := range members {
			if m.Interval == 0 {
				return false
			}
		}
		return len(members) > 0
	}, patience, 50*time.Millisecond)
}

func decode[T any](t *testing.T, text []byte) *T {
	t.Helper()
	into := new(T)
	require.NoError(t, json.Unmarshal(text, into), "%s", text)
	return into
}

package db

import (
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// embedded returns the configuration of an SQLite file that does not exist yet.
func embedded(t *testing.T) (cfg Config, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "new", "what's in a?name #1%20.db")
	return config("sqlite:///" + filepath.ToSlash(filepath.Dir(path)) + "/what's%20in%20a%3Fname%20%231%2520.db"), path
}

// A file that does not exist has no members, and reading does not create it.
func TestSQLiteDoesNotExist(t *testing.T) {
	cfg, path := embedded(t)
	d := open(t, cfg)
	p := poll(t, d)
	require.Empty(t, p.Members)
	require.WithinDuration(t, time.Now(), p.Now, 10*time.Second)
	require.Equal(t, "SQLite", p.Backend)
	require.ErrorIs(t, d.Leave(t.Context(), "web", "one"), drivers.ErrNoMember)
	require.NoDirExists(t, filepath.Dir(path))

	// The same reader notices when the file is created, deleted and replaced.
	for _, name := range []string{"one", "two"} {
		writer := open(t, cfg)
		join(t, writer, name)
		p := poll(t, d)
		require.Len(t, p.Members, 1)
		require.Equal(t, "up", verdict(p, name))
		require.Equal(t, "compute", find(p, name).Binary)
		require.NoError(t, writer.Close())
		require.NoError(t, os.RemoveAll(filepath.Dir(path)))
		require.Empty(t, poll(t, d).Members)
	}
}

// A driver that is closed says so, and neither takes the file that does not exist for an empty one nor creates it.
func TestSQLiteClosed(t *testing.T) {
	cfg, path := embedded(t)
	d := open(t, cfg)
	require.NoError(t, d.Close())
	_, err := d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "web", Name: "one"})
	require.ErrorContains(t, err, "the driver is closed")
	require.NoDirExists(t, filepath.Dir(path))
}

// After the file was deleted and created again by another process, a member writes neither to the deleted file nor to the row
// of another member.
func TestSQLiteReplaced(t *testing.T) {
	cfg, path := embedded(t)
	cfg.ReportInterval = drivers.Duration(20 * time.Millisecond)
	m := join(t, open(t, cfg), "one")
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	other := open(t, cfg)
	stranger := join(t, other, "two")
	select {
	case <-m.Done():
		require.ErrorIs(t, m.Err(), drivers.ErrRemoved)
	case <-time.After(10 * time.Second):
		t.Fatal("nobody told the member")
	}
	require.NoError(t, stranger.Err())
	require.Equal(t, "absent", verdict(poll(t, other), "one"))
	require.Equal(t, "up", verdict(poll(t, other), "two"))
}

// The log that a killed process left for a deleted file is not used for the new file.
func TestSQLiteLeftovers(t *testing.T) {
	cfg, path := embedded(t)
	killed := open(t, cfg)
	join(t, killed, "old")
	wal, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NotEmpty(t, wal)
	require.NoError(t, killed.Close())
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path+"-wal", wal, 0o600))

	d := open(t, cfg)
	join(t, d, "new")
	p := poll(t, d)
	require.Equal(t, "up", verdict(p, "new"))
	require.Equal(t, "absent", verdict(p, "old"))
}

// If many processes find no file at once, all use the same new file.
func TestSQLiteConcurrentCreation(t *testing.T) {
	cfg, path := embedded(t)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var wg sync.WaitGroup
	for _, name := range names {
		d := open(t, cfg)
		wg.Go(func() {
			if _, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: name}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p := poll(t, open(t, cfg))
	for _, name := range names {
		require.Equal(t, "up", verdict(p, name))
	}
	drafts, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*"))
	require.NoError(t, err)
	require.Empty(t, drafts)
}

// The rows of members that left more than an hour ago are removed.
func TestSQLiteRemovesOldRows(t *testing.T) {
	cfg, _ := embedded(t)
	d := open(t, cfg)
	for _, name := range []string{"yesterday", "today", "alive"} {
		join(t, d, name)
	}
	require.NoError(t, d.Leave(t.Context(), "compute", "yesterday"))
	require.NoError(t, d.Leave(t.Context(), "compute", "today"))
	db, err := d.database.writer(t.Context(), false)
	require.NoError(t, err)
	exec(t, db, "UPDATE services SET deleted_at = datetime(deleted_at, '-61 minutes') WHERE host = 'yesterday'")
	exec(t, db, "UPDATE services SET last_seen_up = datetime('now', '-1 day') WHERE host = 'alive'")

	m := join(t, d, "new")
	require.Zero(t, count(t, db, "services WHERE host = 'yesterday'"))
	require.Equal(t, 3, count(t, db, "services"))
	require.Equal(t, "down", verdict(poll(t, d), "alive"), "a dead member has not left")
	require.NoError(t, m.Leave(t.Context()))
	require.Equal(t, 1, count(t, db, "services WHERE host = 'new' AND deleted = id"))
}

// Times have fractions, and the limit is exact to the millisecond.
func TestSQLiteSubSecond(t *testing.T) {
	cfg, _ := embedded(t)
	cfg.ServiceDownTime = drivers.Duration(300 * time.Millisecond)
	cfg.ReportInterval = drivers.Duration(50 * time.Millisecond)
	d := open(t, cfg)
	m := join(t, d, "one")
	m.Abandon()
	last := find(poll(t, d), "one").LastHeartbeat
	testserver.Eventually(t, func() bool {
		p := poll(t, d)
		require.Equal(t, p.Now.Sub(last) <= 300*time.Millisecond, verdict(p, "one") == "up", "at %v", p.Now.Sub(last))
		return verdict(p, "one") == "down"
	}, time.Minute, time.Millisecond, "the member is down")
}

// Reading neither changes the file nor waits for a writer, and a writer's lock does not make a member look dead.
func TestSQLiteLocks(t *testing.T) {
	cfg, path := embedded(t)
	cfg.Timeout = drivers.Duration(time.Second)
	d := open(t, cfg)
	require.NoError(t, join(t, d, "one").Leave(t.Context()))
	require.NoError(t, d.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	reader := open(t, cfg)
	poll(t, reader)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)

	_, err = reader.database.(*sqliteDatabase).read.ExecContext(t.Context(), "DELETE FROM services")
	require.ErrorContains(t, err, "readonly")

	locker := lockFile(t, cfg)
	require.Empty(t, poll(t, reader).Members)
	_, err = reader.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err), err)
	_, err = locker.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	join(t, reader, "one")
}

// lockFile takes the file's write lock, as another process could.
func lockFile(t *testing.T, cfg Config) *sql.Conn {
	t.Helper()
	db, err := open(t, cfg).database.writer(t.Context(), false)
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	return conn
}

// Values of wrong types, which SQLite accepts in any column, affect only their own row.
func TestSQLiteWrongTypes(t *testing.T) {
	cfg, _ := embedded(t)
	d := open(t, cfg)
	join(t, d, "fine")
	db, err := d.database.writer(t.Context(), false)
	require.NoError(t, err)
	for name, test := range map[string]struct{ change, want string }{
		"text-flag":   {"disabled = 'maybe'", "data"},
		"float-flag":  {"forced_down = 0.5", "data"},
		"flag-text":   {"forced_down = '1'", "down"},
		"no-time":     {"last_seen_up = 'yesterday', created_at = 'before'", "data"},
		"fallback":    {"last_seen_up = 'yesterday'", "up"},
		"python-time": {"last_seen_up = strftime('%Y-%m-%d %H:%M:%S.000123', 'now')", "up"},
		"odd-version": {"version = 1.5", "up"},
		"bytes":       {"disabled_reason = CAST(x'41ff42' AS TEXT)", "up"},
		"megabyte":    {"disabled_reason = CAST(zeroblob(1000000) AS TEXT)", "up"},
	} {
		m := join(t, d, name)
		_, err := db.ExecContext(t.Context(), "UPDATE services SET "+test.change+" WHERE host = ?", name)
		require.NoError(t, err)
		p := poll(t, d)
		require.Equal(t, test.want, verdict(p, name), name)
		require.Equal(t, "up", verdict(p, "fine"))
		if name == "bytes" {
			require.Equal(t, "A\uFFFDB", find(p, name).DisabledReason)
		}
		if name == "megabyte" {
			require.Len(t, find(p, name).DisabledReason, drivers.MaxText+1, "it is cut, and still too long")
		}
		require.NoError(t, m.Leave(t.Context()))
	}
	_, err = db.ExecContext(t.Context(), "UPDATE services SET host = CAST(x'ff' AS TEXT) WHERE host = 'fine'")
	require.NoError(t, err)
	require.Equal(t, "name", verdict(poll(t, d), "\uFFFD"))
}

func TestSQLiteErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte("this is no database, only a text that is long enough to be read as one"), 0o600))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for path, want := range map[string]drivers.Reason{
		text:                           drivers.ReasonSchema,
		empty:                          drivers.ReasonSchema,
		dir:                            drivers.ReasonConnect,
		filepath.Join(text, "members"): drivers.ReasonConnect,
	} {
		d := open(t, config("sqlite:///"+path))
		_, err := d.Members(t.Context())
		require.ErrorIs(t, err, drivers.ErrUnavailable, path)
		require.Equal(t, want, drivers.ReasonOf(err), "%s: %v", path, err)
		require.ErrorContains(t, err, path)
		_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
		require.ErrorIs(t, err, drivers.ErrUnavailable, path)
	}
}

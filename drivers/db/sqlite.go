package db

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"servicegroup_exporter/drivers"
)

// sqliteStore is the embedded store: a file that several processes on one machine share.
//
// The file is in WAL mode, so that heartbeats neither wait for readers nor for the disk. Every read opens the file anew,
// as it is at that moment, in less than a millisecond: a file that was deleted or replaced is never read from a handle
// that outlived it. It is opened with mode=ro, so that reading can't change it. When nobody else has the file open, SQLite
// makes the two helper files beside it that readers of a WAL need, one of them empty, and leaves them there; so a reader
// that may not write to the folder can read only while a member of the store lives, or after another reader.
type sqliteStore struct {
	path    string
	timeout time.Duration
	read    *sql.DB

	mu      sync.Mutex
	write   *sql.DB     // nil until something is to be written
	written os.FileInfo // the file that write has open
}

//go:embed sqlite.sql
var sqliteTables string

func newSQLite(path string, timeout time.Duration) (*sqliteStore, error) {
	s := &sqliteStore{path: path, timeout: timeout}
	var err error
	if s.read, err = s.open("ro", path); err != nil {
		return nil, err
	}
	s.read.SetMaxIdleConns(-1)
	return s, nil
}

// open makes a pool for the file. The file's name is escaped, since SQLite reads it as a URI.
func (s *sqliteStore) open(mode, path string) (*sql.DB, error) {
	name := (&url.URL{Scheme: "file", Path: path}).String()
	db, err := sql.Open("sqlite", fmt.Sprintf("%s?mode=%s&_busy_timeout=%d&_synchronous=NORMAL&_dqs=0",
		name, mode, s.timeout.Milliseconds()))
	if err != nil {
		return nil, fmt.Errorf("preparing to open %s: %w", path, err)
	}
	db.SetMaxOpenConns(maxConnections)
	return db, nil
}

func (s *sqliteStore) reader(context.Context) (*sql.DB, error) {
	_, err := s.stat()
	return s.read, err
}

// stat gives errNoStore where there is no file.
func (s *sqliteStore) stat() (os.FileInfo, error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoStore
	}
	return info, err
}

// writer keeps the file open, since the last one to close it would have to wait for the disk, but lets go of a file that
// is not the store any more.
func (s *sqliteStore) writer(ctx context.Context, create bool) (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.stat()
	if errors.Is(err, errNoStore) && create {
		if err = s.create(ctx); err == nil {
			info, err = s.stat()
		}
	}
	if err != nil {
		return nil, err
	}
	if s.write != nil && os.SameFile(info, s.written) {
		return s.write, nil
	}
	if s.write != nil {
		if err := s.write.Close(); err != nil {
			return nil, fmt.Errorf("closing the store that was replaced: %w", err)
		}
	}
	s.write, err = s.open("rw", s.path)
	s.written = info
	return s.write, err
}

// create makes the file with its table beside its place and then links it there, so that nobody ever sees it half made,
// and so that of several processes that do this at once one wins and all use its file.
func (s *sqliteStore) create(ctx context.Context) error {
	folder := filepath.Dir(s.path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the store's folder: %w", err)
	}
	// The log of a file that is gone would be taken for the new file's.
	for _, leftover := range []string{s.path + "-wal", s.path + "-shm"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what is left of the store before: %w", err)
		}
	}
	draft, err := os.MkdirTemp(folder, ".new-")
	if err != nil {
		return fmt.Errorf("making the store: %w", err)
	}
	defer os.RemoveAll(draft)
	path := filepath.Join(draft, "store")
	db, err := s.open("rwc", path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, sqliteTables)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("making the store: %w", err)
	}
	if err := os.Link(path, s.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the store: %w", err)
	}
	return nil
}

func (s *sqliteStore) connects() uint64 { return 0 }

func (s *sqliteStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.write == nil {
		return s.read.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

func (s *sqliteStore) String() string { return s.path }

func (s *sqliteStore) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (s *sqliteStore) columns() string {
	return "SELECT name, 'SQLite ' || sqlite_version() FROM pragma_table_info(?)"
}

// query needs no limit: a query that nobody waits for is interrupted in this very process.
func (s *sqliteStore) query(
	ctx context.Context, db *sql.DB, _ time.Duration, query string, row func(*sql.Rows) error,
) error {
	rows, err := db.QueryContext(ctx, "SELECT "+query)
	if err != nil {
		return err
	}
	return each(rows, row)
}

func (s *sqliteStore) bind(statement string) string { return statement }

func (s *sqliteStore) clock() string { return "'now'" }

// micros are exact to the millisecond, which is what SQLite's times have.
func (s *sqliteStore) micros(expr string) string {
	return "CAST(round(unixepoch(" + expr + ", 'subsec') * 1000) AS INTEGER) * 1000"
}

func (s *sqliteStore) whole(expr string) string { return "CAST(round(" + expr + ") AS INTEGER)" }

func (s *sqliteStore) stamp(ago time.Duration) string {
	return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-%d.%06d seconds')",
		ago/time.Second, (ago % time.Second).Microseconds())
}

// binary is the group itself: there is no naming habit to keep up.
func (s *sqliteStore) binary(_ *schema, group string) string { return group }

func (s *sqliteStore) isDuplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

func (s *sqliteStore) classify(err error) (drivers.Reason, string) {
	e, ok := errors.AsType[*sqlite.Error](err)
	switch {
	case ok:
	case errors.Is(err, fs.ErrPermission):
		return drivers.ReasonAuth, ""
	default: // another error of the file system
		return drivers.ReasonConnect, ""
	}
	const primary = 0xff // The bits above give details.
	switch e.Code() & primary {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT:
		return drivers.ReasonTimeout, "another process holds the store's lock"
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR:
		return drivers.ReasonConnect, ""
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH:
		return drivers.ReasonAuth, "this user must be able to write to the store's folder"
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR:
		return drivers.ReasonSchema, "is this a store that join made?"
	}
	return drivers.ReasonQuery, ""
}

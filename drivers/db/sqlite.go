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

// sqliteDatabase is an SQLite file that several processes on one machine share.
//
// The file is in WAL mode, so that heartbeats wait neither for readers nor for the disk. Every read opens the file again,
// which takes less than a millisecond, so that a file that was deleted or replaced is never read through an old handle.
// Reads use mode=ro, so that they can't change the file. If no other process has the file open, SQLite creates two helper
// files beside it, which readers of a WAL need, and leaves them there. Therefore a reader that may not write to the folder
// can read only while a member is alive, or after another reader.
type sqliteDatabase struct {
	path    string
	timeout time.Duration
	read    *sql.DB

	mu      sync.Mutex
	write   *sql.DB     // nil before the first write
	written os.FileInfo // the file that write opened
}

//go:embed sqlite.sql
var sqliteTables string

func newSQLite(path string, timeout time.Duration) (*sqliteDatabase, error) {
	s := &sqliteDatabase{path: path, timeout: timeout}
	var err error
	if s.read, err = s.open("ro", path); err != nil {
		return nil, err
	}
	s.read.SetMaxIdleConns(-1)
	return s, nil
}

// open returns a pool for the file. The file's name is escaped, because SQLite parses it as a URI.
func (s *sqliteDatabase) open(mode, path string) (*sql.DB, error) {
	name := (&url.URL{Scheme: "file", Path: path}).String()
	db, err := sql.Open("sqlite", fmt.Sprintf("%s?mode=%s&_busy_timeout=%d&_synchronous=NORMAL&_dqs=0",
		name, mode, s.timeout.Milliseconds()))
	if err != nil {
		return nil, fmt.Errorf("preparing to open %s: %w", path, err)
	}
	db.SetMaxOpenConns(maxConnections)
	return db, nil
}

func (s *sqliteDatabase) reader(context.Context) (*sql.DB, error) {
	_, err := s.stat()
	return s.read, err
}

// stat returns errNoFile if there is no file.
func (s *sqliteDatabase) stat() (os.FileInfo, error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoFile
	}
	return info, err
}

// writer keeps the file open, because closing it may have to wait for the disk, and opens it again after it was replaced.
func (s *sqliteDatabase) writer(ctx context.Context, create bool) (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.stat()
	if errors.Is(err, errNoFile) && create {
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
			return nil, fmt.Errorf("closing the SQLite file that was replaced: %w", err)
		}
	}
	s.write, err = s.open("rw", s.path)
	s.written = info
	return s.write, err
}

// create makes the file with its table in a temporary folder and then links it to its path. Other processes thus never see
// an incomplete file, and if several processes create it at once, all use the file of the first.
func (s *sqliteDatabase) create(ctx context.Context) error {
	folder := filepath.Dir(s.path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the SQLite file's folder: %w", err)
	}
	// SQLite would take the log of a deleted file for the new file's.
	for _, leftover := range []string{s.path + "-wal", s.path + "-shm"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the log of a deleted SQLite file: %w", err)
		}
	}
	draft, err := os.MkdirTemp(folder, ".new-")
	if err != nil {
		return fmt.Errorf("making the SQLite file: %w", err)
	}
	defer os.RemoveAll(draft)
	path := filepath.Join(draft, "members.db")
	db, err := s.open("rwc", path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, sqliteTables)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("making the SQLite file: %w", err)
	}
	if err := os.Link(path, s.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the SQLite file: %w", err)
	}
	return nil
}

func (s *sqliteDatabase) renew(*sql.DB) {}

func (s *sqliteDatabase) connects() uint64 { return 0 }

func (s *sqliteDatabase) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.write == nil {
		return s.read.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

func (s *sqliteDatabase) String() string { return s.path }

func (s *sqliteDatabase) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (s *sqliteDatabase) columns() string {
	return "SELECT name, 'SQLite ' || sqlite_version() FROM pragma_table_info(?)"
}

// query ignores the limit: the end of ctx interrupts the query in this process.
func (s *sqliteDatabase) query(
	ctx context.Context, conn *sql.Conn, _ time.Duration, query string, row func(*sql.Rows) error,
) error {
	rows, err := conn.QueryContext(ctx, "SELECT "+query)
	if err != nil {
		return err
	}
	return forEachRow(rows, row)
}

func (s *sqliteDatabase) bind(statement string) string { return statement }

func (s *sqliteDatabase) clock() string { return "'now'" }

// micros is exact to the millisecond, as SQLite's times are.
func (s *sqliteDatabase) micros(expr string) string {
	return "CAST(round(unixepoch(" + expr + ", 'subsec') * 1000) AS INTEGER) * 1000"
}

func (s *sqliteDatabase) whole(expr string) string { return "CAST(round(" + expr + ") AS INTEGER)" }

func (s *sqliteDatabase) stamp(ago time.Duration) string {
	return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-%d.%06d seconds')",
		ago/time.Second, (ago % time.Second).Microseconds())
}

// binary returns the group: there is no other naming convention for SQLite files.
func (s *sqliteDatabase) binary(_ *schema, group string) string { return group }

func (s *sqliteDatabase) isDuplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

func (s *sqliteDatabase) classify(err error) (drivers.Reason, string) {
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
		return drivers.ReasonTimeout, "another process has locked the SQLite file"
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR:
		return drivers.ReasonConnect, ""
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH:
		return drivers.ReasonAuth, "the exporter's user needs write access to the SQLite file's folder"
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR:
		return drivers.ReasonSchema, "was this SQLite file made by join?"
	}
	return drivers.ReasonQuery, ""
}

package db

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// zed, liberty, havana and grizzly are the tables of Nova's releases in testdata, from new to old: each lacks some columns of
// the one before.
const zed, liberty, havana, grizzly = "zed.sql", "liberty.sql", "havana.sql", "grizzly.sql"

// dns knows the names of the tests' servers.
var dns *testserver.DNS

func TestMain(m *testing.M) {
	bench := &testserver.Bench{Out: os.Stderr}
	var code int
	os.Exit(max(bench.Run(func() {
		dns = testserver.StartDNS(bench)
		code = m.Run()
	}), code))
}

// instant is the time of the database's clock when tables are read.
var instant = time.Date(2026, 11, 22, 15, 53, 40, 945826000, time.UTC)

// ago returns the SQL of a time before the instant, in whole seconds as in the columns.
func ago(d time.Duration) string { return "'" + instant.Add(-d).Format(time.DateTime) + "'" }

// A dbServer is a database server on which tests create tables.
type dbServer interface {
	Addr() string
	DSN(database string) string
	Open(t testserver.TB, database string) *sql.DB
}

// table creates a database from files of testdata, and returns a pool to change it with.
func table(t *testing.T, server dbServer, database string, files ...string) *sql.DB {
	t.Helper()
	db := server.Open(t, database)
	db.SetMaxOpenConns(1) // so that settings of the session apply to all statements
	if isPostgres(db) {
		exec(t, db, postgresClock)
	}
	load(t, db, files...)
	return db
}

func load(t testing.TB, db *sql.DB, files ...string) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		require.NoError(t, err)
		exec(t, db, string(text))
	}
}

func exec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if isPostgres(db) {
		query = toPostgres(query)
	}
	_, err := db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err, query)
}

// insert inserts a row of a nova-compute on the host. The columns, name to SQL expression, replace columns of a live one.
func insert(t *testing.T, db *sql.DB, host string, columns map[string]string) {
	t.Helper()
	row := map[string]string{
		"host": "'" + host + "'", "`binary`": "'nova-compute'", "topic": "'compute'",
		"report_count": "7", "disabled": "0", "deleted": "0", "created_at": ago(time.Hour),
	}
	maps.Copy(row, columns)
	insertInto(t, db, "services", row)
}

// insertInto inserts a row, given as name to SQL expression.
func insertInto(t *testing.T, db *sql.DB, table string, row map[string]string) {
	t.Helper()
	var names, values []string
	for name, value := range row {
		names, values = append(names, name), append(values, value)
	}
	exec(t, db, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ","), strings.Join(values, ",")))
}

// at returns a DSN whose sessions see one fixed time: MariaDB's @@timestamp sets the clock of a session.
func at(server dbServer, database string, now time.Time) string {
	if _, ok := server.(*testserver.Postgres); ok {
		return atPostgres(server.DSN(database), now)
	}
	return fmt.Sprintf("%s?timestamp=%d.%06d", server.DSN(database), now.Unix(), now.Nanosecond()/1000)
}

// zone adds a time zone for the sessions to a DSN.
func zone(dsn, name string) string {
	if strings.HasPrefix(dsn, "postgresql:") {
		return zonePostgres(dsn, name)
	}
	return dsn + "&time_zone=" + url.QueryEscape("'"+name+"'")
}

// config returns the default configuration with a DSN.
func config(dsn string) Config {
	cfg := DefaultConfig()
	cfg.DSN = drivers.SecretText(dsn)
	return cfg
}

// patient returns a configuration with a timeout so long that only the context of a call ends it.
func patient(dsn string) Config {
	cfg := config(dsn)
	cfg.Timeout = drivers.Duration(time.Hour)
	return cfg
}

// open opens a driver that is closed when the test ends.
func open(t testing.TB, cfg Config) *Driver {
	t.Helper()
	d, err := Open(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// poll reads the members, which must succeed.
func poll(t testing.TB, d *Driver) *drivers.Poll {
	t.Helper()
	p, err := d.Members(t.Context())
	require.NoError(t, err)
	return p
}

// find returns a member of the group "compute", or nil.
func find(p *drivers.Poll, name string) *drivers.Member {
	for i := range p.Members {
		if m := &p.Members[i]; m.Group == "compute" && m.Name == name {
			return m
		}
	}
	return nil
}

// verdict returns "up", "down", "absent", or the reason of a rejection.
func verdict(p *drivers.Poll, name string) string {
	for _, r := range p.Rejected {
		if r.Name == name {
			return r.Reason
		}
	}
	switch m := find(p, name); {
	case m == nil:
		return "absent"
	case m.Up:
		return "up"
	}
	return "down"
}

// short returns a context that ends after d.
func short(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

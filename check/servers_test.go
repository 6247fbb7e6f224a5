package check_test

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

	"servicegroup_exporter/check"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

const (
	// patient is a timeout that no healthy server needs, on a busy machine.
	patient = time.Minute
	// impatient is one for servers that never answer.
	impatient = 2 * time.Second
)

// novaTable makes Nova's table of services in a new database.
func novaTable(t *testing.T, server interface {
	Open(t testserver.TB, database string) *sql.DB
}, database string,
) *sql.DB {
	t.Helper()
	db := server.Open(t, database)
	text, err := os.ReadFile("../drivers/db/testdata/zed.sql")
	require.NoError(t, err)
	execute(t, db, string(text))
	return db
}

func execute(t *testing.T, db *sql.DB, statements string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statements)
	require.NoError(t, err, statements)
}

// join makes members that report each second through the first source of a configuration, until the test ends.
func join(t *testing.T, configuration string, names ...string) {
	t.Helper()
	cfg, err := sources.Parse("join.yml", []byte(configuration))
	require.NoError(t, err)
	driver, err := sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources()[0].Open(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { driver.Close() })
	joiner, ok := driver.(drivers.Joiner)
	require.True(t, ok)
	for _, name := range names {
		ctx, cancel := context.WithTimeout(t.Context(), patient)
		_, err = joiner.Join(ctx, drivers.JoinRequest{Group: "compute", Name: name})
		cancel()
		require.NoError(t, err)
	}
}

// run checks a configuration.
func run(t *testing.T, configuration string, timeout time.Duration) []check.Line {
	t.Helper()
	return runIn(t, t.TempDir(), configuration, timeout)
}

// runIn does the same with a folder for the state. It requires that the check leaves no trace there.
func runIn(t *testing.T, folder, configuration string, timeout time.Duration) []check.Line {
	t.Helper()
	file := filepath.Join(t.TempDir(), "servicegroups.yml")
	write(t, file, configuration)
	before, _ := filepath.Glob(filepath.Join(folder, "*"))
	lines := check.New(check.Options{
		ConfigFile: file, StoragePath: folder, Timeout: timeout, Logger: slog.New(slog.DiscardHandler),
	}).Run(t.Context())
	after, _ := filepath.Glob(filepath.Join(folder, "*"))
	require.Equal(t, before, after)
	return lines
}

// of returns the statuses and texts of the lines about a subject of the targets that begin with a text.
func of(lines []check.Line, target, subject string) string {
	var all []string
	for _, l := range lines {
		if strings.HasPrefix(l.Target, target) && l.Subject == subject {
			all = append(all, strings.TrimSpace(string(l.Status)+": "+l.Text+" → "+l.Remedy))
		}
	}
	return strings.Join(all, "\n")
}

// worse returns the lines that are not ok.
func worse(lines []check.Line) []string {
	var all []string
	for _, l := range lines {
		if l.Status != drivers.StatusOK {
			all = append(all, l.Target+" "+l.Subject+" "+string(l.Status)+": "+l.Text+" → "+l.Remedy)
		}
	}
	return all
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

package db

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"servicegroup_exporter/drivers"
)

// errNoFile means that the SQLite file does not exist yet, so that it has no members.
var errNoFile = errors.New("the SQLite file does not exist yet")

// A database is how one database is reached, and how SQL is written for it.
type database interface {
	dialect

	// reader returns the pool to read with, or errNoFile.
	reader(ctx context.Context) (*sql.DB, error)
	// writer returns the pool to write with. If an SQLite file does not exist, it makes it with create, and returns
	// errNoFile without.
	writer(ctx context.Context, create bool) (*sql.DB, error)
	// query runs a query that only reads, given without its SELECT, and calls row for each row. The server itself ends the
	// query after the limit.
	query(ctx context.Context, conn *sql.Conn, limit time.Duration, query string, row func(*sql.Rows) error) error
	// renew makes reader and writer return a new pool instead of old, whose connections are closed. An SQLite file has no
	// server, so that it does nothing there.
	renew(old *sql.DB)
	// inspect returns findings about the server, the account and the encryption of a new connection. It returns what it found
	// beside an error.
	inspect(ctx context.Context, tables []string) ([]drivers.Finding, error)
	// connects returns how many connections to a server were made, 0 if there is no server.
	connects() uint64
	// String returns the address and name of the database, without secrets.
	String() string
	close() error
}

// A dialect is the differences between kinds of databases in SQL and in errors.
type dialect interface {
	// quote quotes the name of a table or column.
	quote(name string) string
	// columns returns a query for the names of a table's columns that the account may read, each with the server's name and
	// version. Its parameter is the table.
	columns() string
	// bind replaces the question marks in a statement, which must all be parameters, by the database's syntax.
	bind(statement string) string
	// clock returns an expression for the current time, as exact as the database has it.
	clock() string
	// micros returns an expression for the microseconds since 1970 of an expression for a time, NULL if it is not a time.
	micros(expr string) string
	// whole returns an expression for a number as an integer.
	whole(expr string) string
	// stamp returns an expression for the time some duration ago, in UTC, as it is written to a column.
	stamp(ago time.Duration) string
	// binary returns the default binary of a member that joins the group.
	binary(s *schema, group string) string
	// isDuplicate reports whether a row was refused because another row has its name.
	isDuplicate(err error) bool
	// classify returns why a statement failed, and a hint about what may help, if there is one.
	classify(err error) (reason drivers.Reason, hint string)
}

// openDatabase returns the database that cfg names, without connecting to it.
func openDatabase(cfg Config, logger *slog.Logger) (database, error) {
	t, err := cfg.target()
	if err != nil {
		return nil, err
	}
	if t.noOptionFile {
		logger.Warn("The file of read_default_file does not exist; its settings for TLS and the socket are not used")
	}
	if len(t.ignored) > 0 {
		logger.Info("Parameters of the database's URL are for SQLAlchemy and have no effect here", "parameters", t.ignored)
	}
	switch {
	case t.mysql != nil:
		return newMySQL(t, cfg, logger)
	case t.postgres != nil:
		return newPostgres(t, cfg), nil
	}
	return newSQLite(t.path, time.Duration(cfg.Timeout))
}

// forEachRow calls row for each row of a query's result, and closes it.
func forEachRow(rows *sql.Rows, row func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

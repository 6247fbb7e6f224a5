package db

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"servicegroup_exporter/drivers"
)

// errNoStore says that nobody has made the store yet, so that it has no members.
var errNoStore = errors.New("the store does not exist yet")

// A store is one database: how it is reached, and how SQL is written for it.
type store interface {
	dialect

	// reader returns the pool to read with, or errNoStore.
	reader(ctx context.Context) (*sql.DB, error)
	// writer returns the pool to write with. With create it makes a store that may be made; without, it gives
	// errNoStore where there is none.
	writer(ctx context.Context, create bool) (*sql.DB, error)
	// query runs a query, given without its SELECT, which changes nothing and which the server itself ends after the limit,
	// and hands out its rows.
	query(ctx context.Context, db *sql.DB, limit time.Duration, query string, row func(*sql.Rows) error) error
	// connects is how many connections to a server were made, 0 where there is no server.
	connects() uint64
	// String names the place without secrets.
	String() string
	close() error
}

// A dialect is what differs between databases in the SQL that this package writes, and in the errors that come back.
type dialect interface {
	// quote writes the name of a table or column so that it may be a reserved word.
	quote(name string) string
	// columns is a query for the names of a table's columns that may be read, each with the server's name and version; its parameter
	// is the table.
	columns() string
	// bind writes the parameters of a statement, each a question mark, as the database has them. There must be no other
	// question marks.
	bind(statement string) string
	// clock is an expression for the time now, as exact as the database has it.
	clock() string
	// micros makes of an expression for a time one for its microseconds since 1970, NULL when it is no time.
	micros(expr string) string
	// whole makes an integer of an expression for a number.
	whole(expr string) string
	// stamp is an expression for a time before now, in UTC, as it is written into a column.
	stamp(ago time.Duration) string
	// binary is what a member of the group runs that does not say what.
	binary(s *schema, group string) string
	// isDuplicate says that a row was refused since another has its name.
	isDuplicate(err error) bool
	// classify says why a statement failed, and what may help, if that is clear.
	classify(err error) (reason drivers.Reason, hint string)
}

// openStore makes the store without connecting to it.
func openStore(cfg Config, logger *slog.Logger) (store, error) {
	t, err := cfg.target()
	if err != nil {
		return nil, err
	}
	switch {
	case t.mysql != nil:
		return newMySQL(t, cfg, logger)
	case t.postgres != nil:
		return newPostgres(t, cfg), nil
	}
	return newSQLite(t.path, time.Duration(cfg.Timeout))
}

// each hands out the rows that a query gave, and closes them.
func each(rows *sql.Rows, row func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

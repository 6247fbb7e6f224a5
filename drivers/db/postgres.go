package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresDatabase is a database on a PostgreSQL server, possibly behind a pooler like PgBouncer that shares the server's
// connections among clients: therefore no statement is prepared, and no setting outlives a transaction.
type postgresDatabase struct {
	*pool
	cfg *pgx.ConnConfig
}

// newPostgres returns the database of a target. The target is read again for each connection.
func newPostgres(t target, section Config) *postgresDatabase {
	cfg, timeout := t.postgres, time.Duration(section.Timeout)
	if section.Dial != nil {
		cfg.DialFunc = pgconn.DialFunc(section.Dial)
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = 0, 0
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > timeout {
		cfg.ConnectTimeout = timeout
	}
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "servicegroup_exporter"
	}
	connector := stdlib.GetConnector(*cfg, stdlib.OptionBeforeConnect(refreshPostgres(section, t.address())))
	return &postgresDatabase{newPool(oneLineConnector{connector}, freshness.Lifetime(section.DownTime())), cfg}
}

// refreshPostgres returns a function that sets the current credentials before a connection is made, for all servers of the
// DSN.
func refreshPostgres(section Config, address string) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, cfg *pgx.ConnConfig) error {
		t, err := section.reread(address)
		if err != nil {
			return err
		}
		cfg.User, cfg.Password, cfg.TLSConfig, cfg.Fallbacks = t.postgres.User, t.postgres.Password, t.postgres.TLSConfig, t.postgres.Fallbacks
		return nil
	}
}

// A oneLineConnector returns errors in one line: the library writes one for each address that it tried.
type oneLineConnector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c oneLineConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, &oneLineError{err}
	}
	return conn, nil
}

type oneLineError struct{ err error }

func (e *oneLineError) Error() string {
	text := strings.ReplaceAll(e.err.Error(), ": %!w(<nil>)", "") // an error that the library formatted without a cause
	return strings.Join(strings.Fields(text), " ")
}

func (e *oneLineError) Unwrap() error { return e.err }

func (s *postgresDatabase) String() string { return target{postgres: s.cfg}.address() }

func (s *postgresDatabase) quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (s *postgresDatabase) columns() string {
	return "SELECT column_name, 'PostgreSQL ' || current_setting('server_version') FROM information_schema.columns" +
		" WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1" +
		" AND has_column_privilege(format('%I.%I', table_schema, table_name), column_name, 'SELECT')"
}

// query runs the query in a read-only transaction of its own: only in a transaction can the limit be set so that it does not
// stay with the connection.
func (s *postgresDatabase) query(
	ctx context.Context, conn *sql.Conn, limit time.Duration, query string, row func(*sql.Rows) error,
) error {
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // It has an effect only after an error. A connection on which it fails is not used again.
	ms := min(max(limit.Milliseconds(), 1), math.MaxInt32)
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL statement_timeout = %d", ms)); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+query)
	if err != nil {
		return err
	}
	if err := forEachRow(rows, row); err != nil {
		return err
	}
	return tx.Commit()
}

// bind replaces question marks by numbered parameters.
func (s *postgresDatabase) bind(statement string) string {
	var b strings.Builder
	n := 0
	for _, c := range []byte(statement) {
		if c == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// clock is the time at which the query began: the rows are as they were at that moment.
func (s *postgresDatabase) clock() string { return "statement_timestamp() AT TIME ZONE 'UTC'" }

// micros is NULL for infinity and for times outside the years 1 to 9999. A timestamp without a time zone is taken for UTC.
func (s *postgresDatabase) micros(expr string) string {
	return "CASE WHEN " + expr + " BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'" +
		" THEN CAST(EXTRACT(EPOCH FROM " + expr + ") * 1000000 AS bigint) END"
}

// whole is NULL for numbers that do not fit into a bigint, which would make the query fail.
func (s *postgresDatabase) whole(expr string) string {
	return "CASE WHEN " + expr + " BETWEEN -9e18 AND 9e18 THEN CAST(" + expr + " AS bigint) END"
}

// stamp has microseconds, as the columns have.
func (s *postgresDatabase) stamp(ago time.Duration) string {
	return fmt.Sprintf("clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '%d microseconds'", ago.Microseconds())
}

func (s *postgresDatabase) binary(sc *schema, group string) string {
	return sc.writer.binaryPrefix + group
}

func (s *postgresDatabase) isDuplicate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	// A duplicate id does not mean that the name is taken, but that the table's sequence is behind its rows.
	return ok && e.Code == "23505" && !strings.HasSuffix(e.ConstraintName, "_pkey")
}

func (s *postgresDatabase) classify(err error) (drivers.Reason, string) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifySQLState(e.Code)
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if _, ok := errors.AsType[*grantError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if isOtherName(err) {
		return drivers.ReasonConnect, "sslmode=verify-ca in the URL checks only who issued the certificate"
	}
	if drivers.IsCertificateRefused(err) {
		return drivers.ReasonAuth, "check the client's certificate"
	}
	if strings.Contains(err.Error(), "no GSSAPI provider registered") {
		return drivers.ReasonAuth, "the server requires Kerberos (GSSAPI), which is not supported: let pg_hba.conf ask for scram-sha-256 or cert"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return drivers.ReasonTimeout, ""
	}
	// All other errors do not come from a PostgreSQL server: the connection broke, or the server speaks another protocol.
	return drivers.ReasonConnect, ""
}

// classifySQLState returns the reason for an error code of PostgreSQL or a pooler.
func classifySQLState(code string) (drivers.Reason, string) {
	switch code {
	case "28P01", "28000":
		return drivers.ReasonAuth, "check user, password and pg_hba.conf"
	case "42501":
		return drivers.ReasonAuth, needsSelect
	case "3D000":
		return drivers.ReasonSchema, "check the database's name"
	case "42P01", "3F000":
		return drivers.ReasonSchema, otherDatabase
	case "42703", "42883", "42804", "22007", "42846":
		return drivers.ReasonSchema, "the table is not laid out as the schema says"
	case "57014", "55P03", "25P03", "25P04": // statement_timeout, lock_timeout, limits of transactions
		return drivers.ReasonTimeout, ""
	}
	for _, class := range []string{
		"08",  // connection exceptions
		"53",  // insufficient resources: too many connections
		"57P", // shutdown, crash, starting up
	} {
		if strings.HasPrefix(code, class) {
			return drivers.ReasonConnect, ""
		}
	}
	return drivers.ReasonQuery, ""
}

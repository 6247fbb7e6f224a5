package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresStore is a database on a PostgreSQL server, or behind a pool like PgBouncer that hands the server's connections
// from client to client: nothing is prepared, and no setting outlives a transaction.
type postgresStore struct {
	cfg  *pgx.ConnConfig
	pool *sql.DB
	made atomic.Uint64
}

// newPostgres makes the store of a target, which is read again for each connection.
func newPostgres(t target, section Config) *postgresStore {
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
	s := &postgresStore{cfg: cfg}
	connector := stdlib.GetConnector(*cfg, stdlib.OptionBeforeConnect(renewPostgres(section, t.place())))
	s.pool = sql.OpenDB(countingConnector{connector, &s.made})
	s.pool.SetMaxOpenConns(maxConnections)
	s.pool.SetMaxIdleConns(maxConnections)
	s.pool.SetConnMaxIdleTime(maxIdle)
	s.pool.SetConnMaxLifetime(maxLifetime)
	return s
}

// renewPostgres brings what is needed to log in up to date, for each of the servers that the DSN lists.
func renewPostgres(section Config, place string) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, cfg *pgx.ConnConfig) error {
		t, err := section.renewed(place)
		if err != nil {
			return err
		}
		cfg.User, cfg.Password, cfg.TLSConfig, cfg.Fallbacks = t.postgres.User, t.postgres.Password, t.postgres.TLSConfig, t.postgres.Fallbacks
		return nil
	}
}

func (s *postgresStore) reader(context.Context) (*sql.DB, error) { return s.pool, nil }

func (s *postgresStore) writer(context.Context, bool) (*sql.DB, error) { return s.pool, nil }

func (s *postgresStore) connects() uint64 { return s.made.Load() }

func (s *postgresStore) close() error { return s.pool.Close() }

func (s *postgresStore) String() string { return target{postgres: s.cfg}.place() }

func (s *postgresStore) quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (s *postgresStore) columns() string {
	return "SELECT column_name, 'PostgreSQL ' || current_setting('server_version') FROM information_schema.columns" +
		" WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1" +
		" AND has_column_privilege(format('%I.%I', table_schema, table_name), column_name, 'SELECT')"
}

// query runs the query in a transaction of its own that may not write, since only that can have a limit which does not stay
// with the connection.
func (s *postgresStore) query(
	ctx context.Context, db *sql.DB, limit time.Duration, query string, row func(*sql.Rows) error,
) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // After an error: a connection on which it fails is not used again.
	ms := min(max(limit.Milliseconds(), 1), math.MaxInt32)
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL statement_timeout = %d", ms)); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+query)
	if err != nil {
		return err
	}
	if err := each(rows, row); err != nil {
		return err
	}
	return tx.Commit()
}

// bind numbers the parameters.
func (s *postgresStore) bind(statement string) string {
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

// clock is when the query began: the rows are those of the same moment.
func (s *postgresStore) clock() string { return "statement_timestamp() AT TIME ZONE 'UTC'" }

// micros are NULL for infinity and for what is far from any clock's time. A timestamp without time zone is taken for UTC.
func (s *postgresStore) micros(expr string) string {
	return "CASE WHEN " + expr + " BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'" +
		" THEN CAST(EXTRACT(EPOCH FROM " + expr + ") * 1000000 AS bigint) END"
}

// whole is NULL for what no integer can hold, which would end the query.
func (s *postgresStore) whole(expr string) string {
	return "CASE WHEN " + expr + " BETWEEN -9e18 AND 9e18 THEN CAST(" + expr + " AS bigint) END"
}

// stamp has microseconds, as the columns have.
func (s *postgresStore) stamp(ago time.Duration) string {
	return fmt.Sprintf("clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '%d microseconds'", ago.Microseconds())
}

func (s *postgresStore) binary(sc *schema, group string) string {
	return sc.writer.binaryPrefix + group
}

func (s *postgresStore) isDuplicate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	// A taken id is no taken name: the table's sequence is behind its rows.
	return ok && e.Code == "23505" && !strings.HasSuffix(e.ConstraintName, "_pkey")
}

func (s *postgresStore) classify(err error) (drivers.Reason, string) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifySQLState(e.Code)
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if _, ok := errors.AsType[*grantError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if drivers.IsCertificateRefused(err) {
		return drivers.ReasonAuth, "check the client's certificate"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return drivers.ReasonTimeout, ""
	}
	// What is left did not come from the server: the connection broke, or nobody there speaks PostgreSQL's protocol.
	return drivers.ReasonConnect, ""
}

// classifySQLState sorts the errors that PostgreSQL, and pools before it, report by code.
func classifySQLState(code string) (drivers.Reason, string) {
	switch code {
	case "28P01", "28000":
		return drivers.ReasonAuth, "check user, password and pg_hba.conf"
	case "42501":
		return drivers.ReasonAuth, needsSelect
	case "3D000":
		return drivers.ReasonSchema, "check the database's name"
	case "42P01", "3F000":
		return drivers.ReasonSchema, "is this the right database?"
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

package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"servicegroup_exporter/drivers"
)

const (
	// One connection for polls and one for heartbeats: never more on somebody else's server.
	maxConnections = 2
	// Firewalls and proxies forget connections that are idle for some minutes.
	maxIdle = 3 * time.Minute
	// A fresh connection now and then finds the server that a load balancer prefers by now.
	maxLifetime = time.Hour
)

// mysqlStore is a database on a MySQL or MariaDB server.
type mysqlStore struct {
	cfg  *mysql.Config
	pool *sql.DB
	made atomic.Uint64
}

// newMySQL makes the store of a target, which is read again for each connection.
func newMySQL(t target, section Config, logger *slog.Logger) (*mysqlStore, error) {
	cfg, timeout := t.mysql, time.Duration(section.Timeout)
	if section.Dial != nil {
		cfg.DialFunc = section.Dial
	}
	// Contexts end everything within the timeout, and say that it was that. These are for what has no context, as the
	// last words to a server on closing.
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = timeout, 2*timeout, 2*timeout
	cfg.InterpolateParams = true // one round trip less than a prepared statement
	cfg.ClientFoundRows = true
	cfg.ParseTime, cfg.MultiStatements, cfg.AllowAllFiles, cfg.ColumnsWithAlias = false, false, false, false
	cfg.Collation = ""
	cfg.Logger = &clientLog{logger: logger}
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	// A server that is set to begin transactions by itself would show one and the same snapshot for ever.
	cfg.Params["autocommit"] = "1"
	if _, set := cfg.Params["time_zone"]; !set {
		// Columns of type TIMESTAMP are shown in the session's time zone; DATETIME has none.
		cfg.Params["time_zone"] = "'+00:00'"
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", ""), mysql.BeforeConnect(renewMySQL(section, t.place()))); err != nil {
		return nil, fmt.Errorf("setting the character set: %w", err)
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, drivers.Field("dsn", "is not accepted by the MySQL client: %w", err)
	}
	s := &mysqlStore{cfg: cfg}
	s.pool = sql.OpenDB(countingConnector{explainingConnector{connector, logger}, &s.made})
	s.pool.SetMaxOpenConns(maxConnections)
	s.pool.SetMaxIdleConns(maxConnections)
	s.pool.SetConnMaxIdleTime(maxIdle)
	s.pool.SetConnMaxLifetime(maxLifetime)
	return s, nil
}

// renewMySQL brings what is needed to log in up to date.
func renewMySQL(section Config, place string) func(context.Context, *mysql.Config) error {
	return func(ctx context.Context, cfg *mysql.Config) error {
		t, err := section.renewed(place)
		if err != nil {
			return err
		}
		if said, ok := ctx.Value(clientLogKey{}).(*clientLog); ok {
			cfg.Logger = said
		}
		cfg.User, cfg.Passwd, cfg.TLS = t.mysql.User, t.mysql.Passwd, t.mysql.TLS
		return nil
	}
}

func (s *mysqlStore) reader(context.Context) (*sql.DB, error) { return s.pool, nil }

func (s *mysqlStore) writer(context.Context, bool) (*sql.DB, error) { return s.pool, nil }

func (s *mysqlStore) connects() uint64 { return s.made.Load() }

func (s *mysqlStore) close() error { return s.pool.Close() }

func (s *mysqlStore) String() string { return target{mysql: s.cfg}.place() }

func (s *mysqlStore) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func (s *mysqlStore) columns() string {
	return "SELECT column_name, VERSION() FROM information_schema.columns" +
		" WHERE table_schema = DATABASE() AND table_name = ? AND FIND_IN_SET('select', privileges)"
}

// query sets MariaDB's limit in a comment that only MariaDB reads, and MySQL's in a hint that MariaDB skips or takes for
// the same. A client that is gone does not end a query by itself.
func (s *mysqlStore) query(
	ctx context.Context, db *sql.DB, limit time.Duration, query string, row func(*sql.Rows) error,
) error {
	ms := max(limit.Milliseconds(), 1) // zero would be no limit
	rows, err := db.QueryContext(ctx, fmt.Sprintf(
		"/*M!100102 SET STATEMENT max_statement_time=%d.%03d FOR */ SELECT /*+ MAX_EXECUTION_TIME(%d) */ %s",
		ms/1000, ms%1000, ms, query))
	if err != nil {
		return err
	}
	return each(rows, row)
}

func (s *mysqlStore) bind(statement string) string { return statement }

// clock is in UTC whatever the time zone of server and session, as are Nova's columns. NOW() would not be.
func (s *mysqlStore) clock() string { return "UTC_TIMESTAMP(6)" }

// micros gives integers, so that no time zone can get at them on the way. A zero date gives NULL.
func (s *mysqlStore) micros(expr string) string {
	return "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', " + expr + ")"
}

func (s *mysqlStore) whole(expr string) string { return "CAST(" + expr + " AS SIGNED)" }

// stamp has whole seconds, as the columns have; with a fraction MySQL would round it into the future.
func (s *mysqlStore) stamp(ago time.Duration) string {
	if ago == 0 {
		return "UTC_TIMESTAMP()"
	}
	return fmt.Sprintf("UTC_TIMESTAMP() - INTERVAL %d MICROSECOND", ago.Microseconds())
}

func (s *mysqlStore) binary(sc *schema, group string) string { return sc.writer.binaryPrefix + group }

// countingConnector counts the connections that were made.
type countingConnector struct {
	driver.Connector
	made *atomic.Uint64
}

func (c countingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err == nil {
		c.made.Add(1)
	}
	return conn, err
}

package db

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"
)

// mysqlDatabase is a database on a MySQL or MariaDB server.
type mysqlDatabase struct {
	*pool
	cfg *mysql.Config
}

// newMySQL returns the database of a target. The target is read again for each connection.
func newMySQL(t target, section Config, logger *slog.Logger) (*mysqlDatabase, error) {
	cfg, timeout := t.mysql, time.Duration(section.Timeout)
	if section.Dial != nil {
		cfg.DialFunc = section.Dial
	}
	// Contexts end all requests within the timeout, with an error that says so. These timeouts are for writes without a
	// context, such as the last packet before closing.
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = timeout, 2*timeout, 2*timeout
	cfg.InterpolateParams = true // saves the round trip of a prepared statement
	cfg.ClientFoundRows = true
	cfg.ParseTime, cfg.MultiStatements, cfg.AllowAllFiles, cfg.ColumnsWithAlias = false, false, false, false
	cfg.Collation = ""
	cfg.Logger = &clientLog{logger: logger}
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	// On a server with autocommit off, all queries of a connection would read the same snapshot.
	cfg.Params["autocommit"] = "1"
	if _, set := cfg.Params["time_zone"]; !set {
		// Columns of type TIMESTAMP are returned in the session's time zone; DATETIME has none.
		cfg.Params["time_zone"] = "'+00:00'"
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", ""), mysql.BeforeConnect(refreshMySQL(section, t.address()))); err != nil {
		return nil, fmt.Errorf("setting the character set: %w", err)
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, drivers.Field("dsn", "is not accepted by the MySQL client: %w", err)
	}
	return &mysqlDatabase{newPool(explainingConnector{connector, logger}, freshness.Lifetime(section.DownTime())), cfg}, nil
}

// refreshMySQL returns a function that sets the current credentials before a connection is made.
func refreshMySQL(section Config, address string) func(context.Context, *mysql.Config) error {
	return func(ctx context.Context, cfg *mysql.Config) error {
		t, err := section.reread(address)
		if err != nil {
			return err
		}
		if log, ok := ctx.Value(clientLogKey{}).(*clientLog); ok {
			cfg.Logger = log
		}
		cfg.User, cfg.Passwd, cfg.TLS = t.mysql.User, t.mysql.Passwd, observed(ctx, t.mysql.TLS)
		return nil
	}
}

func (s *mysqlDatabase) String() string { return target{mysql: s.cfg}.address() }

func (s *mysqlDatabase) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func (s *mysqlDatabase) columns() string {
	return "SELECT column_name, VERSION() FROM information_schema.columns" +
		" WHERE table_schema = DATABASE() AND table_name = ? AND FIND_IN_SET('select', privileges)"
}

// query sets the limit for MariaDB in a comment that only MariaDB reads, and for MySQL in a hint that MariaDB ignores or
// understands too. Without a limit a query would continue on the server after its client has disconnected.
func (s *mysqlDatabase) query(
	ctx context.Context, conn *sql.Conn, limit time.Duration, query string, row func(*sql.Rows) error,
) error {
	ms := max(limit.Milliseconds(), 1) // Zero would mean no limit.
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(
		"/*M!100102 SET STATEMENT max_statement_time=%d.%03d FOR */ SELECT /*+ MAX_EXECUTION_TIME(%d) */ %s",
		ms/1000, ms%1000, ms, query))
	if err != nil {
		return err
	}
	return forEachRow(rows, row)
}

func (s *mysqlDatabase) bind(statement string) string { return statement }

// clock is in UTC for every time zone of server and session, as Nova's columns are. NOW() is not.
func (s *mysqlDatabase) clock() string { return "UTC_TIMESTAMP(6)" }

// micros returns integers, which no time zone changes. A zero date becomes NULL.
func (s *mysqlDatabase) micros(expr string) string {
	return "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', " + expr + ")"
}

func (s *mysqlDatabase) whole(expr string) string { return "CAST(" + expr + " AS SIGNED)" }

// stamp has whole seconds, as the columns have: MySQL would round a fraction up, into the future.
func (s *mysqlDatabase) stamp(ago time.Duration) string {
	if ago == 0 {
		return "UTC_TIMESTAMP()"
	}
	return fmt.Sprintf("UTC_TIMESTAMP() - INTERVAL %d MICROSECOND", ago.Microseconds())
}

func (s *mysqlDatabase) binary(sc *schema, group string) string {
	return sc.writer.binaryPrefix + group
}

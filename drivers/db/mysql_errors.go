package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/go-sql-driver/mysql"

	"servicegroup_exporter/drivers"
)

func (s *mysqlStore) isDuplicate(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == 1062
}

func (s *mysqlStore) classify(err error) (drivers.Reason, string) {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return classifyNumber(e.Number)
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
	if e, ok := errors.AsType[net.Error](err); ok {
		if e.Timeout() {
			return drivers.ReasonTimeout, ""
		}
		return drivers.ReasonConnect, ""
	}
	for _, auth := range []error{
		mysql.ErrCleartextPassword, mysql.ErrNativePassword, mysql.ErrOldPassword, mysql.ErrUnknownPlugin,
	} {
		if errors.Is(err, auth) {
			return drivers.ReasonAuth, "the server wants another way to log in"
		}
	}
	// What is left did not come from the server: the connection broke, or nobody there speaks MySQL's protocol.
	return drivers.ReasonConnect, ""
}

// classifyNumber sorts the errors that MySQL and MariaDB report by number.
func classifyNumber(number uint16) (drivers.Reason, string) {
	switch number {
	case 1045, 1698, 1251, 1820, 1862, 3118, 4151: // user or password; expired; locked
		return drivers.ReasonAuth, "check user and password"
	case 1129, 1130: // host blocked, host not allowed
		return drivers.ReasonAuth, "the server does not accept connections from this host"
	case 1044, 1142, 1143, 1227, 1356, 1370:
		return drivers.ReasonAuth, needsSelect
	case 1146, 1932:
		return drivers.ReasonSchema, "is this the right database?"
	case 1049, 1046:
		return drivers.ReasonSchema, "check the database's name"
	case 1054:
		return drivers.ReasonSchema, "the table is not laid out as the schema says"
	case 1969, 3024, 1205: // max_statement_time, max_execution_time, lock wait
		return drivers.ReasonTimeout, ""
	case 1047: // a Galera node that is not part of the primary component, or not yet
		return drivers.ReasonSession, "the node has no quorum"
	case 1040, 1053, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 4031: // too many connections, shutdown, killed
		return drivers.ReasonConnect, ""
	}
	return drivers.ReasonQuery, ""
}

// A clientLog takes the MySQL client's own messages. What matters of them comes back as errors too, but for one.
type clientLog struct {
	logger *slog.Logger

	mu      sync.Mutex
	refused error // that the server refuses our certificate
}

// Print implements mysql.Logger.
func (l *clientLog) Print(v ...any) {
	l.logger.Debug("MySQL client", "message", fmt.Sprint(v...))
	for _, part := range v {
		if err, ok := part.(error); ok && drivers.IsCertificateRefused(err) {
			l.mu.Lock()
			l.refused = err
			l.mu.Unlock()
		}
	}
}

func (l *clientLog) certificateRefused() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

// clientLogKey is where a context has the log of the connection that is made with it.
type clientLogKey struct{}

// An explainingConnector finds in the client's messages why a server hung up on a certificate, of which the client's error
// says only that the connection is invalid.
type explainingConnector struct {
	driver.Connector
	logger *slog.Logger
}

// Connect implements driver.Connector.
func (c explainingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	said := &clientLog{logger: c.logger}
	conn, err := c.Connector.Connect(context.WithValue(ctx, clientLogKey{}, said))
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) {
		if refused := said.certificateRefused(); refused != nil {
			return nil, refused
		}
	}
	return conn, err
}

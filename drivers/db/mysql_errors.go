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

func (s *mysqlDatabase) isDuplicate(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == 1062
}

func (s *mysqlDatabase) classify(err error) (drivers.Reason, string) {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return classifyNumber(e.Number)
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if _, ok := errors.AsType[*grantError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if isOtherName(err) {
		return drivers.ReasonConnect, "ssl_mode=VERIFY_CA in the URL checks only who issued the certificate"
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
			return drivers.ReasonAuth, "the server requires another authentication method"
		}
	}
	// All other errors do not come from a MySQL server: the connection broke, or the server speaks another protocol.
	return drivers.ReasonConnect, ""
}

// classifyNumber returns the reason for an error number of MySQL or MariaDB.
func classifyNumber(number uint16) (drivers.Reason, string) {
	switch number {
	case 1045, 1698, 1251, 1820, 1862, 3118, 4151: // user or password; expired; locked
		return drivers.ReasonAuth, "check user and password"
	case 1129, 1130: // host blocked, host not allowed
		return drivers.ReasonAuth, "the server does not accept connections from this host"
	case 1044, 1142, 1143, 1227, 1356, 1370:
		return drivers.ReasonAuth, needsSelect
	case 1146, 1932:
		return drivers.ReasonSchema, otherDatabase
	case 1049, 1046:
		return drivers.ReasonSchema, "check the database's name"
	case 1054:
		return drivers.ReasonSchema, "the table is not laid out as the schema says"
	case 1969, 3024, 1205: // max_statement_time, max_execution_time, lock wait
		return drivers.ReasonTimeout, ""
	case 1047: // a Galera node outside the primary component
		return drivers.ReasonSession, "the node has no quorum"
	case 1040, 1053, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 4031: // too many connections, shutdown, killed
		return drivers.ReasonConnect, ""
	}
	return drivers.ReasonQuery, ""
}

// A clientLog receives the MySQL client's own log messages. Two of them say what the client's errors do not: why the server closed a
// connection, and which method of authentication it asked for.
type clientLog struct {
	logger *slog.Logger

	mu     sync.Mutex
	reason error // nil while there was no such message
}

// unknownPlugin is how the MySQL client's log message begins before the name of a method of authentication.
const unknownPlugin = "unknown auth plugin:"

// Print implements mysql.Logger.
func (l *clientLog) Print(v ...any) {
	l.logger.Debug("MySQL client", "message", fmt.Sprint(v...))
	for i, part := range v {
		err, isError := part.(error)
		switch {
		case isError && drivers.IsCertificateRefused(err):
			l.set(err)
		case part == unknownPlugin && i+1 < len(v):
			l.set(fmt.Errorf("%w: %.100q", mysql.ErrUnknownPlugin, v[i+1]))
		}
	}
}

func (l *clientLog) set(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason = reason
}

func (l *clientLog) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}

// clientLogKey is the context key of the clientLog for the connection that is made with the context.
type clientLogKey struct{}

// An explainingConnector returns what it finds in the client's log: the server's refusal of the client's certificate, and the name of
// a method of authentication that is not supported. The client's own errors say neither.
type explainingConnector struct {
	driver.Connector
	logger *slog.Logger
}

// Connect implements driver.Connector.
func (c explainingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	log := &clientLog{logger: c.logger}
	conn, err := c.Connector.Connect(context.WithValue(ctx, clientLogKey{}, log))
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrUnknownPlugin) {
		if reason := log.why(); reason != nil {
			return nil, reason
		}
	}
	return conn, err
}

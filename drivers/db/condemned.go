package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// A scope is what an error condemns: what is not used again after it.
type scope int

const (
	// The statement failed, and would fail on every connection.
	theStatement scope = iota
	// The connection is closed. Others to the same server can be used.
	theConnection
	// The server can't do its work, or is about to end. All connections are closed, since a new one may reach another server:
	// behind a load balancer, or by a name that now has another address.
	theServer
)

// condemnedBy returns what an error of a statement, or of making a connection, condemns.
func condemnedBy(err error) scope {
	if err == nil {
		return theStatement
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return mysqlScopes()[e.Number]
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresScope(e)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return theStatement
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return theStatement // There is no connection yet. The dialer has tried all addresses of the name.
	}
	_, isNet := errors.AsType[net.Error](err)
	for _, broken := range []error{
		mysql.ErrInvalidConn, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul, driver.ErrBadConn,
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded,
	} {
		isNet = isNet || errors.Is(err, broken)
	}
	if isNet {
		return theServer
	}
	return theStatement
}

// mysqlScopes has the errors of MySQL, MariaDB, Galera, and the proxies MaxScale and ProxySQL that condemn more than a
// statement, by number.
func mysqlScopes() map[uint16]scope {
	return map[uint16]scope{
		1927: theConnection, // killed, by an administrator or MaxScale
		3169: theConnection, // killed
		4031: theConnection, // idle for longer than wait_timeout
		1152: theConnection, // aborted
		1184: theConnection, // aborted

		1047: theServer, // Galera: outside the primary component, or wsrep_reject_queries
		1180: theServer, // Galera: the commit failed because the component was lost
		1290: theServer, // read_only: a primary that was demoted, or a replica
		1792: theServer, // transaction_read_only
		1836: theServer, // innodb_read_only
		1053: theServer, // shutdown in progress
		1077: theServer, // shutdown
		1079: theServer, // shutdown complete
		1080: theServer, // closed by force for a shutdown
		3032: theServer, // offline_mode
		3100: theServer, // Group Replication: the server is not a member of the group
		3168: theServer, // not available

		1158: theServer, // The server could not read from the network, or in time;
		1159: theServer,
		1160: theServer, // or could not write.
		1161: theServer,
		2003: theServer, // A proxy lost its own connection to the server.
		2006: theServer,
		2013: theServer,
		9001: theServer, // ProxySQL: no server of the hostgroup answered in time
	}
}

// postgresScope returns what an error of PostgreSQL, or of a pooler before it, condemns.
func postgresScope(e *pgconn.PgError) scope {
	switch {
	case e.Code == "25006", // a standby, or default_transaction_read_only: a primary that was demoted
		e.Code == "57P01", e.Code == "57P02", // shutdown, crash of another process
		e.Code == "57P03",               // starting up, or a standby that does not accept connections
		strings.HasPrefix(e.Code, "58"): // an error of its disk or its system
		return theServer
	case strings.HasPrefix(e.Code, "08"), // connection exceptions: a pooler lost its own connection
		e.Code == "25P03", e.Code == "25P04", // limits of transactions, which end the session
		e.Code == "57P04", e.Code == "57P05": // the database was dropped, the session was idle
		return theConnection
	}
	return theStatement
}

package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/go-sql-driver/mysql"

	"servicegroup_exporter/drivers"
)

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

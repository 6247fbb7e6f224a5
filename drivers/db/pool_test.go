package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

// A stubConnector makes connections that can do nothing.
type stubConnector struct{ driver.Connector }

func (stubConnector) Connect(context.Context) (driver.Conn, error) { return stubConn{}, nil }

type stubConn struct{ driver.Conn }

func (stubConn) Close() error { return nil }

// A poll renews the pool between the moment in which a heartbeat gets the pool and the one in which it gets a connection. The
// heartbeat is written all the same.
func TestRenewedMeanwhile(t *testing.T) {
	p := newPool(stubConnector{}, time.Minute)
	defer func() { require.NoError(t, p.close()) }()
	d := &Driver{database: &mysqlDatabase{p, mysql.NewConfig()}, logger: slog.New(slog.DiscardHandler)}
	for name, renewals := range map[string]int{"once": 1, "twice": 2} {
		opened, worked := 0, 0
		open := func(context.Context) (*sql.DB, error) {
			db := p.db()
			if opened++; opened == 1 || opened == 3 && renewals == 2 {
				p.renew(db)
			}
			return db, nil
		}
		err := d.do(t.Context(), open, func(*sql.Conn) error { worked++; return nil })
		if renewals == 1 {
			require.NoError(t, err, name)
			require.Equal(t, 1, worked, name)
		} else {
			require.Error(t, err, name) // It is tried once more, and not again and again.
		}
	}
	failed := errors.New("refused")
	opened := 0
	err := d.do(t.Context(), func(context.Context) (*sql.DB, error) { opened++; return nil, failed }, nil)
	require.ErrorIs(t, err, failed)
	require.Equal(t, 1, opened)
}

package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers/freshness"
)

const (
	// One connection is for polls, one for heartbeats: the server belongs to OpenStack, not to this program.
	maxConnections = 2
	// Firewalls and proxies drop connections that are idle for some minutes.
	maxIdle = 3 * time.Minute
)

// A pool has the connections to one server. It can be renewed, so that no connection of before is used again.
type pool struct {
	connector driver.Connector
	lifetime  time.Duration // of a connection once heartbeats are written
	made      atomic.Uint64 // connections

	mu      sync.Mutex
	current *sql.DB
	closed  bool
}

// newPool returns a pool whose connections are used for at most lifetime once heartbeats are written, and for at most
// [freshness.MaxLifetime] before.
func newPool(connector driver.Connector, lifetime time.Duration) *pool {
	p := &pool{lifetime: lifetime}
	p.connector = countingConnector{connector, &p.made}
	p.current = p.open()
	return p
}

func (p *pool) open() *sql.DB {
	db := sql.OpenDB(p.connector)
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxIdleTime(maxIdle)
	db.SetConnMaxLifetime(freshness.MaxLifetime)
	return db
}

func (p *pool) db() *sql.DB {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// reader, writer and connects implement [database].
func (p *pool) reader(context.Context) (*sql.DB, error) { return p.db(), nil }

func (p *pool) writer(context.Context, bool) (*sql.DB, error) {
	db := p.db()
	db.SetConnMaxLifetime(p.lifetime)
	return db, nil
}

func (p *pool) connects() uint64 { return p.made.Load() }

// renew closes the idle connections now, and those in use after their work, unless that was done since old was returned.
func (p *pool) renew(old *sql.DB) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.current != old {
		return
	}
	p.current = p.open()
	_ = old.Close() // The connections may be broken already.
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return p.current.Close()
}

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

// An opener returns the pool for some work: see [database].
type opener func(context.Context) (*sql.DB, error)

// toWrite is the opener for statements that change a table that exists.
func (d *Driver) toWrite(ctx context.Context) (*sql.DB, error) { return d.database.writer(ctx, false) }

// do runs work on a connection. If its error condemns the connection, do runs it once more on another one, as long as ctx
// has not ended.
func (d *Driver) do(ctx context.Context, open opener, work func(*sql.Conn) error) error {
	condemned, err := d.try(ctx, open, work)
	if condemned == theStatement || ctx.Err() != nil {
		return err
	}
	d.logger.Debug("A database connection is replaced", "err", err)
	_, err = d.try(ctx, open, work)
	return err
}

// try runs work on a connection once, and closes what its error condemns. If the pool was renewed before there was a connection,
// the other goroutine's reason for that is not a failure of this work: only the connection, which was never made, is condemned.
func (d *Driver) try(ctx context.Context, open opener, work func(*sql.Conn) error) (scope, error) {
	if err := ctx.Err(); err != nil {
		return theStatement, err // Opening could make an SQLite file.
	}
	db, err := open(ctx)
	if err != nil {
		return theStatement, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		err = work(conn)
	}
	condemned := condemnedBy(err)
	if conn == nil && condemned == theStatement {
		if now, openErr := open(ctx); openErr == nil && now != db {
			condemned = theConnection
		}
	}
	if conn != nil {
		if condemned != theStatement {
			// This error is how database/sql is told to close the connection.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close() // Only a connection that is closed already returns an error.
	}
	if condemned == theServer {
		d.database.renew(db)
	}
	return condemned, err
}

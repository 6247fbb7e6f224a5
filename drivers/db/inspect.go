package db

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"strings"

	"servicegroup_exporter/drivers"
)

var _ drivers.Inspector = (*Driver)(nil)

// Inspect makes one new connection, and returns findings about the server, the account and the encryption.
func (d *Driver) Inspect(ctx context.Context) []drivers.Finding {
	tables := []string{d.schema.table}
	if zones := d.schema.zones.table; zones != "" {
		tables = append(tables, zones)
	}
	return d.inspect(ctx, tables...)
}

// Inspect does the same for Nova's API database.
func (a *API) Inspect(ctx context.Context) []drivers.Finding {
	return a.driver.inspect(ctx, "cell_mappings", "aggregate_hosts", "aggregate_metadata")
}

// inspect returns the findings for an account that reads the tables.
func (d *Driver) inspect(ctx context.Context, tables ...string) []drivers.Finding {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	findings, err := d.database.inspect(ctx, tables)
	if err != nil && len(findings) > 0 { // Without a connection the poll says why.
		err = d.failed(ctx, "inspecting", err)
		findings = append(findings, drivers.Warning("server", err.Error(), "run check again; the server answered only a part of the questions"))
	}
	return findings
}

// apart runs work on a new connection that nothing else uses.
func (p *pool) apart(ctx context.Context, work func(*sql.Conn) error) error {
	db := sql.OpenDB(p.connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // Only a connection that is closed already returns an error.
	return work(conn)
}

// readOnlyServer is the finding about a server that refuses writes.
func readOnlyServer(why string) drivers.Finding {
	return drivers.Warning("server", "the server is read-only ("+why+"): a replica, or a primary that was demoted; heartbeats arrive there late "+
		"or not at all, and members can't join", "use the address of the primary")
}

// loginFinding is the finding about an account that may do more than read, or exactly that if excess is empty.
func loginFinding(account string, may, excess []string, remedy string) drivers.Finding {
	const subject = "login"
	if len(excess) == 0 {
		return drivers.OK(subject, "logged in as %s, which may only read: %s", account, strings.Join(may, ", "))
	}
	return drivers.Warning(subject, fmt.Sprintf("logged in as %s, which may do more than reading needs: %s", account, strings.Join(excess, ", ")),
		remedy)
}

// tlsStateKey is the context key of the [tls.ConnectionState] that a new connection to MySQL is to fill in.
type tlsStateKey struct{}

// observed returns a copy of a TLS configuration that tells the context the state of the connection.
func observed(ctx context.Context, c *tls.Config) *tls.Config {
	into, ok := ctx.Value(tlsStateKey{}).(*tls.ConnectionState)
	if !ok || c == nil {
		return c
	}
	with, verify := c.Clone(), c.VerifyConnection
	with.VerifyConnection = func(state tls.ConnectionState) error {
		*into = state
		if verify != nil {
			return verify(state)
		}
		return nil
	}
	return with
}

// inspect returns that the file needs no account.
func (s *sqliteDatabase) inspect(context.Context, []string) ([]drivers.Finding, error) {
	return []drivers.Finding{drivers.OK("server", "the SQLite file %s, on this machine", s.path)}, nil
}

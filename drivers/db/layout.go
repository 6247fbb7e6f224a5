package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"servicegroup_exporter/drivers"
)

// A layout is a schema applied to one database: the columns that exist there, and the rule of its release.
type layout struct {
	schema  *schema
	columns []string
	rule    rule
	version string // of the server, with its name
	zoned   bool   // the names of zones can be looked up
	// query is the poll's query without its SELECT.
	query string
	// connects is the number of connections when the columns were read. After a new connection they are read again, since
	// the server may have been upgraded.
	connects uint64
}

// has reports whether the table has the column.
func (l *layout) has(column string) bool { return slices.Contains(l.columns, column) }

// layout returns the database's layout. Fresh reports that it was read by this call.
func (d *Driver) layout(ctx context.Context, conn *sql.Conn) (l *layout, fresh bool, err error) {
	if l := d.lastLayout.Load(); l != nil && l.connects == d.database.connects() {
		return l, false, nil
	}
	l = &layout{schema: d.schema}
	if l.columns, err = d.readColumns(ctx, conn, d.schema.table, &l.version); err != nil {
		return nil, false, err
	}
	if err := d.checkGrants(ctx, conn, l); err != nil {
		return nil, false, err
	}
	if l.rule, err = d.ruleFor(ctx, conn, l); err != nil {
		return nil, false, err
	}
	if l.zoned, err = d.findZones(ctx, conn, l); err != nil {
		return nil, false, err
	}
	l.query = d.pollQuery(l)
	l.connects = d.database.connects()
	if len(l.columns) > 0 { // Otherwise its rule is that of the oldest release.
		d.lastLayout.Store(l)
	}
	return l, true, nil
}

// readColumns returns a table's columns, and sets the server's version. A table that is missing, or that the account may not
// read, has none: the poll's own query then fails with the reason.
func (d *Driver) readColumns(ctx context.Context, conn *sql.Conn, table string, version *string) (columns []string, err error) {
	d.operations.Add(1)
	rows, err := conn.QueryContext(ctx, d.database.columns(), table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name, version); err != nil {
			return nil, err
		}
		columns = append(columns, name)
	}
	return columns, rows.Err()
}

// findZones reports whether there is a table with the names of zones that may be read.
func (d *Driver) findZones(ctx context.Context, conn *sql.Conn, l *layout) (bool, error) {
	z := d.schema.zones
	if z.table == "" || !l.has(d.schema.zone) {
		return false, nil
	}
	var version string
	columns, err := d.readColumns(ctx, conn, z.table, &version)
	return slices.Contains(columns, z.key) && slices.Contains(columns, z.value), err
}

// ruleFor returns the first rule that fits the columns.
func (d *Driver) ruleFor(ctx context.Context, conn *sql.Conn, l *layout) (rule, error) {
	for _, r := range d.schema.rulesFor(d.cfg.Verdict) {
		if r.needs != "" && !l.has(r.needs) {
			continue
		}
		if r.minMigration > 0 {
			migration, err := d.migration(ctx, conn)
			if err != nil {
				return rule{}, err
			}
			if migration < r.minMigration {
				continue
			}
		}
		return r, nil
	}
	return rule{}, fmt.Errorf("the schema of %s has no rule for every release", d.schema.table)
}

// migration returns the number of the last migration that sqlalchemy-migrate recorded. It is 0 if there is no record, or no
// grant to read it, which selects the older of two releases that differ in nothing else.
func (d *Driver) migration(ctx context.Context, conn *sql.Conn) (int64, error) {
	d.operations.Add(1)
	var version sql.NullInt64
	query := d.database.bind("SELECT MAX(version) FROM migrate_version WHERE repository_id = ?")
	err := conn.QueryRowContext(ctx, query, d.schema.repository).Scan(&version)
	if err == nil {
		return version.Int64, nil
	}
	if reason, _ := d.database.classify(err); reason == drivers.ReasonSchema || reason == drivers.ReasonAuth {
		d.logger.Debug("The migrations can't be read; the oldest release is assumed", "err", err)
		return 0, nil
	}
	return 0, err
}

package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"servicegroup_exporter/drivers"
)

// A layout is what a schema comes down to in one database: the columns that are there, and the rule of its release.
type layout struct {
	schema  *schema
	columns []string
	rule    rule
	version string // of the server, with its name
	zoned   bool   // the zones' names can be looked up
	// query is what follows SELECT in a poll.
	query string
	// made is how many connections there had been when the columns were read: a new connection is a reason to look
	// again, since the server may have been upgraded.
	made uint64
}

// has says whether the table has the column.
func (l *layout) has(column string) bool { return slices.Contains(l.columns, column) }

// layout returns the database's layout, and whether it has just been read.
func (d *Driver) layout(ctx context.Context, db *sql.DB) (l *layout, fresh bool, err error) {
	if l := d.known.Load(); l != nil && l.made == d.store.connects() {
		return l, false, nil
	}
	l = &layout{schema: d.schema}
	if l.columns, err = d.readColumns(ctx, db, d.schema.table, &l.version); err != nil {
		return nil, false, err
	}
	if err := d.checkGrants(ctx, db, l); err != nil {
		return nil, false, err
	}
	if l.rule, err = d.ruleFor(ctx, db, l); err != nil {
		return nil, false, err
	}
	if l.zoned, err = d.findZones(ctx, db, l); err != nil {
		return nil, false, err
	}
	l.query = d.pollQuery(l)
	l.made = d.store.connects()
	d.known.Store(l)
	return l, true, nil
}

// readColumns asks for a table's columns and the server's version. A table that is missing, or that we may not read,
// has none: the poll's own query then says which it is.
func (d *Driver) readColumns(ctx context.Context, db *sql.DB, table string, version *string) (columns []string, err error) {
	d.operations.Add(1)
	rows, err := db.QueryContext(ctx, d.store.columns(), table)
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

// findZones says whether there is a table with the zones' names that may be read.
func (d *Driver) findZones(ctx context.Context, db *sql.DB, l *layout) (bool, error) {
	z := d.schema.zones
	if z.table == "" || !l.has(d.schema.zone) {
		return false, nil
	}
	var version string
	columns, err := d.readColumns(ctx, db, z.table, &version)
	return slices.Contains(columns, z.key) && slices.Contains(columns, z.value), err
}

// ruleFor picks the first rule that fits the columns.
func (d *Driver) ruleFor(ctx context.Context, db *sql.DB, l *layout) (rule, error) {
	for _, r := range d.schema.rulesFor(d.cfg.Rule) {
		if r.needs != "" && !l.has(r.needs) {
			continue
		}
		if r.minMigration > 0 {
			migration, err := d.migration(ctx, db)
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

// migration returns the number of the last migration that ran, as sqlalchemy-migrate recorded it. Where there is no
// such record, or no grant to read it, it is 0: the older of two releases that nothing else tells apart.
func (d *Driver) migration(ctx context.Context, db *sql.DB) (int64, error) {
	d.operations.Add(1)
	var version sql.NullInt64
	query := d.store.bind("SELECT MAX(version) FROM migrate_version WHERE repository_id = ?")
	err := db.QueryRowContext(ctx, query, d.schema.repository).Scan(&version)
	if err == nil {
		return version.Int64, nil
	}
	if reason, _ := d.store.classify(err); reason == drivers.ReasonSchema || reason == drivers.ReasonAuth {
		d.logger.Debug("no migrations to tell the release by", "err", err)
		return 0, nil
	}
	return 0, err
}

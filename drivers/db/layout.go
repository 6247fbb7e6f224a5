package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// A layout is what a schema comes down to in one database: the columns that are there, and the rule of its release.
type layout struct {
	columns []string
	rule    rule
	version string // of the server, with its name
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
	l = &layout{}
	if err := d.readColumns(ctx, db, l); err != nil {
		return nil, false, err
	}
	if l.rule, err = d.ruleFor(ctx, db, l); err != nil {
		return nil, false, err
	}
	l.query = d.pollQuery(l)
	l.made = d.store.connects()
	d.known.Store(l)
	return l, true, nil
}

// readColumns asks for the table's columns and the server's version. A table that is missing, or that we may not read,
// has none: the poll's own query then says which it is.
func (d *Driver) readColumns(ctx context.Context, db *sql.DB, l *layout) error {
	d.operations.Add(1)
	rows, err := db.QueryContext(ctx, d.store.columns(), d.schema.table)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name, &l.version); err != nil {
			return err
		}
		l.columns = append(l.columns, name)
	}
	return rows.Err()
}

// ruleFor picks the first rule that fits the columns.
func (d *Driver) ruleFor(ctx context.Context, db *sql.DB, l *layout) (rule, error) {
	for _, r := range d.schema.rules {
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
	err := db.QueryRowContext(ctx, "SELECT MAX(version) FROM migrate_version WHERE repository_id = ?", d.schema.repository).
		Scan(&version)
	if err == nil {
		return version.Int64, nil
	}
	if reason, _ := d.store.classify(err); reason == drivers.ReasonSchema || reason == drivers.ReasonAuth {
		d.logger.Debug("no migrations to tell the release by", "err", err)
		return 0, nil
	}
	return 0, err
}

// pollQuery is the query of a poll, but for its beginning: the clock beside every row, or beside nothing in an empty
// table, so that one statement reads both.
func (d *Driver) pollQuery(l *layout) string {
	s, st := d.schema, d.store
	optional := func(column string) string {
		if !l.has(column) {
			return "NULL"
		}
		return "m." + st.quote(column)
	}
	forced := optional(s.forcedDown)
	if l.has(s.forcedDown) {
		forced = "COALESCE(" + forced + ", 0)" // NULL is no; only a missing column has no answer.
	}
	columns := []string{
		"c.clock",
		"m." + st.quote(s.deleted), "m." + st.quote(s.group), "m." + st.quote(s.name), "m." + st.quote(s.binary),
		d.heartbeat(l.rule), "m." + st.quote(s.disabled),
		forced, optional(s.disabledReason), optional(s.version), optional(s.uuid),
	}
	return strings.Join(columns, ", ") +
		" FROM (SELECT " + st.micros(st.clock()) + " AS clock) AS c" +
		" LEFT JOIN " + st.quote(s.table) + " AS m ON m." + st.quote(s.deleted) + " = 0"
}

// heartbeat is the expression for the time that the rule goes by.
func (d *Driver) heartbeat(r rule) string {
	times := make([]string, len(r.heartbeat))
	for i, column := range r.heartbeat {
		times[i] = d.store.micros("m." + d.store.quote(column))
	}
	if len(times) == 1 {
		return times[0] // COALESCE takes two at least in SQLite.
	}
	return "COALESCE(" + strings.Join(times, ", ") + ")"
}

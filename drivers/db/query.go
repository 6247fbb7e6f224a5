package db

import (
	"cmp"
	"fmt"
	"strings"
)

// pollQuery returns the query of a poll without its SELECT. One statement reads clock and rows: the clock is a column of
// every row, and an empty table gives one row with the clock only. The columns are in the order of [row.columns].
func (d *Driver) pollQuery(l *layout) string {
	s, st := d.schema, d.database
	columns := []string{
		"c.clock", d.column(s.key),
		d.column(s.group), d.column(s.name), d.optional(l, s.binary), d.zone(l),
		d.heartbeat(l.rule), d.column(s.interval), d.optional(l, s.reportCount), d.column(l.rule.state), d.column(s.busy),
		d.column(cmp.Or(s.disabled, s.enabled)), d.optional(l, s.forcedDown), d.column(s.online),
		d.optional(l, s.disabledReason), d.optional(l, s.version), d.optional(l, s.uuid),
	}
	query := strings.Join(columns, ", ") +
		" FROM (SELECT " + st.micros(st.clock()) + " AS clock) AS c" +
		" LEFT JOIN " + st.quote(s.table) + " AS m ON " + d.notDeleted("m.")
	if z := s.zones; l.zoned {
		query += fmt.Sprintf(" LEFT JOIN %s AS z ON z.%s = m.%s", st.quote(z.table), st.quote(z.key), st.quote(s.zone))
	}
	return query
}

// column returns the expression for a column that every release has, or NULL if the service has no such column.
func (d *Driver) column(name string) string {
	if name == "" {
		return "NULL"
	}
	return "m." + d.database.quote(name)
}

// optional returns the expression for a column that some releases lack.
func (d *Driver) optional(l *layout, name string) string {
	if !l.has(name) && !d.schema.exact {
		return "NULL"
	}
	return d.column(name)
}

// zone returns the expression for the name of the zone.
func (d *Driver) zone(l *layout) string {
	switch z := d.schema.zones; {
	case l.zoned:
		return "z." + d.database.quote(z.value)
	case z.table != "":
		return "NULL" // The column has an id, not a name.
	}
	return d.optional(l, d.schema.zone)
}

// notDeleted returns the condition for a row that is not deleted, with a prefix for the column.
func (d *Driver) notDeleted(prefix string) string {
	column := prefix + d.database.quote(d.schema.deleted)
	switch d.schema.deletion {
	case deletedIsID:
		return column + " = 0"
	case deletedFlag:
		return column + " = FALSE"
	case deletedSince:
		return column + " IS NULL"
	case rowsVanish:
	}
	return "1 = 1"
}

// heartbeat returns the expression for the rule's time, in microseconds since 1970.
func (d *Driver) heartbeat(r rule) string {
	times := make([]string, len(r.heartbeat))
	for i, column := range r.heartbeat {
		times[i] = d.micros(r.unit, "m."+d.database.quote(column))
	}
	if len(times) == 1 {
		return times[0] // SQLite's COALESCE needs two arguments.
	}
	return "COALESCE(" + strings.Join(times, ", ") + ")"
}

// micros returns the expression for a column's time in microseconds since 1970.
func (d *Driver) micros(u unit, column string) string {
	switch u {
	case unitSeconds:
		return d.database.whole(column + " * 1000000.0")
	case unitMilliseconds:
		return d.database.whole(column + " * 1000.0")
	case unitTime:
	}
	return d.database.micros(column)
}

package db

import (
	"cmp"
	"fmt"
	"strings"
)

// pollQuery is the query of a poll, but for its beginning: the clock beside every row, or beside nothing in an empty
// table, so that one statement reads both. Its columns are in the order of [row.columns].
func (d *Driver) pollQuery(l *layout) string {
	s, st := d.schema, d.store
	columns := []string{
		"c.clock", d.column(s.key),
		d.column(s.group), d.column(s.name), d.optional(l, s.binary), d.zone(l),
		d.heartbeat(l.rule), d.column(s.interval), d.column(l.rule.state), d.column(s.busy),
		d.column(cmp.Or(s.disabled, s.enabled)), d.optional(l, s.forcedDown), d.column(s.online),
		d.optional(l, s.disabledReason), d.optional(l, s.version), d.optional(l, s.uuid),
	}
	query := strings.Join(columns, ", ") +
		" FROM (SELECT " + st.micros(st.clock()) + " AS clock) AS c" +
		" LEFT JOIN " + st.quote(s.table) + " AS m ON " + d.live("m.")
	if z := s.zones; l.zoned {
		query += fmt.Sprintf(" LEFT JOIN %s AS z ON z.%s = m.%s", st.quote(z.table), st.quote(z.key), st.quote(s.zone))
	}
	return query
}

// column is the expression for a column that every release has, or for one that the service has not.
func (d *Driver) column(name string) string {
	if name == "" {
		return "NULL"
	}
	return "m." + d.store.quote(name)
}

// optional is the expression for a column that some releases lack.
func (d *Driver) optional(l *layout, name string) string {
	if !l.has(name) && !d.schema.exact {
		return "NULL"
	}
	return d.column(name)
}

// zone is the expression for the zone's name.
func (d *Driver) zone(l *layout) string {
	switch z := d.schema.zones; {
	case l.zoned:
		return "z." + d.store.quote(z.value)
	case z.table != "":
		return "NULL" // An id is no name.
	}
	return d.optional(l, d.schema.zone)
}

// live is the condition for a row that is not deleted, with a prefix for the column.
func (d *Driver) live(prefix string) string {
	column := prefix + d.store.quote(d.schema.deleted)
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

// heartbeat is the expression for the time that the rule goes by, in microseconds since 1970.
func (d *Driver) heartbeat(r rule) string {
	times := make([]string, len(r.heartbeat))
	for i, column := range r.heartbeat {
		times[i] = d.micros(r.unit, "m."+d.store.quote(column))
	}
	if len(times) == 1 {
		return times[0] // COALESCE takes two at least in SQLite.
	}
	return "COALESCE(" + strings.Join(times, ", ") + ")"
}

// micros is the expression for the microseconds of a column in its unit.
func (d *Driver) micros(u unit, column string) string {
	switch u {
	case unitSeconds:
		return d.store.whole(column + " * 1000000.0")
	case unitMilliseconds:
		return d.store.whole(column + " * 1000.0")
	case unitTime:
	}
	return d.store.micros(column)
}

package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// needed returns the columns without which a table of the newest release can't be read.
func (s *schema) needed(kind Verdict) []string {
	r := s.rulesFor(kind)[0]
	columns := append([]string{
		s.key, s.group, s.name, s.interval, r.state, s.busy, s.disabled, s.enabled, s.online, s.deleted,
	}, r.heartbeat...)
	return columnSet(columns)
}

// decisive returns the columns that some releases lack and that change verdicts where they exist. A database hides columns
// from an account without grants as if they did not exist.
func (s *schema) decisive(kind Verdict) []string {
	columns := []string{s.forcedDown}
	if len(s.withoutHeartbeat) > 0 {
		columns = append(columns, s.binary)
	}
	for _, r := range s.rulesFor(kind) {
		columns = append(columns, r.needs)
	}
	return columnSet(columns)
}

// required returns the columns that an account must be able to read, if they exist.
func (s *schema) required(kind Verdict) []string {
	return columnSet(append(s.needed(kind), s.decisive(kind)...))
}

// columnSet sorts the columns, without empty names and duplicates.
func columnSet(columns []string) []string {
	columns = slices.DeleteFunc(columns, func(column string) bool { return column == "" })
	slices.Sort(columns)
	return slices.Compact(columns)
}

// A grantError lists the columns that an account may not read.
type grantError struct {
	table   string
	columns []string
}

func (e *grantError) Error() string {
	columns := strings.Join(e.columns, ", ")
	return fmt.Sprintf("the user may not read %s: it needs GRANT SELECT (%[1]s) ON %s, or on the whole table if the release has no such columns",
		columns, e.table)
}

// checkGrants returns a grantError if there are required columns that the account may not read. If the database shows no
// columns at all, the poll's own query fails with the reason.
func (d *Driver) checkGrants(ctx context.Context, conn *sql.Conn, l *layout) error {
	if len(l.columns) == 0 {
		return nil
	}
	var denied []string
	for _, column := range d.schema.required(d.cfg.Verdict) {
		if l.has(column) {
			continue
		}
		switch err := d.tryColumn(ctx, conn, column); {
		case err == nil:
		case d.isDenied(err):
			denied = append(denied, column)
		case ctx.Err() != nil:
			return err
		}
	}
	if len(denied) > 0 {
		return &grantError{d.schema.table, denied}
	}
	return nil
}

// tryColumn selects a column without reading rows. For an account with grants on single columns MySQL reports a column that
// does not exist as denied, too.
func (d *Driver) tryColumn(ctx context.Context, conn *sql.Conn, column string) error {
	d.operations.Add(1)
	q := d.database.quote
	rows, err := conn.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT 0", q(column), q(d.schema.table)))
	if err != nil {
		return err
	}
	return forEachRow(rows, func(*sql.Rows) error { return nil })
}

func (d *Driver) isDenied(err error) bool {
	reason, _ := d.database.classify(err)
	return reason == drivers.ReasonAuth
}

package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// needed are the columns without which there is no poll in the newest release.
func (s *schema) needed(kind Rule) []string {
	r := s.rulesFor(kind)[0]
	columns := append([]string{
		s.key, s.group, s.name, s.interval, r.state, s.busy, s.disabled, s.enabled, s.online, s.deleted,
	}, r.heartbeat...)
	return columnSet(columns)
}

// decisive are the columns that some releases lack, and without which verdicts would be others: a database may hide them
// from an account as if they were not there.
func (s *schema) decisive(kind Rule) []string {
	columns := []string{s.forcedDown}
	if len(s.silent) > 0 {
		columns = append(columns, s.binary)
	}
	for _, r := range s.rulesFor(kind) {
		columns = append(columns, r.needs)
	}
	return columnSet(columns)
}

// vital are the columns that an account has to be able to read, if they are there.
func (s *schema) vital(kind Rule) []string {
	return columnSet(append(s.needed(kind), s.decisive(kind)...))
}

// informative are the columns that labels and texts come from. A poll goes on without them.
func (s *schema) informative() []string {
	columns := []string{s.binary, s.disabledReason, s.version, s.uuid}
	if s.zones.table == "" {
		columns = append(columns, s.zone)
	}
	return columnSet(columns)
}

// columnSet sorts, and leaves out what is empty or there twice.
func columnSet(columns []string) []string {
	columns = slices.DeleteFunc(columns, func(column string) bool { return column == "" })
	slices.Sort(columns)
	return slices.Compact(columns)
}

// A grantError says which columns an account may not read.
type grantError struct {
	table   string
	columns []string
}

func (e *grantError) Error() string {
	columns := strings.Join(e.columns, ", ")
	return fmt.Sprintf("may not read %s: it needs GRANT SELECT (%[1]s) ON %s, or on the whole table where its release has no such columns",
		columns, e.table)
}

// checkGrants looks for columns that the account may not read. Where the database shows it none at all, the poll's own
// query says why.
func (d *Driver) checkGrants(ctx context.Context, db *sql.DB, l *layout) error {
	if len(l.columns) == 0 {
		return nil
	}
	var denied []string
	for _, column := range d.schema.vital(d.cfg.Rule) {
		if l.has(column) {
			continue
		}
		switch err := d.probe(ctx, db, column); {
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

// probe reads nothing of a column. MySQL calls a column that is not there denied, too, if the account may read others only
// one by one.
func (d *Driver) probe(ctx context.Context, db *sql.DB, column string) error {
	d.operations.Add(1)
	q := d.store.quote
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT 0", q(column), q(d.schema.table)))
	if err != nil {
		return err
	}
	return each(rows, func(*sql.Rows) error { return nil })
}

func (d *Driver) isDenied(err error) bool {
	reason, _ := d.store.classify(err)
	return reason == drivers.ReasonAuth
}

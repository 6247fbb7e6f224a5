package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// Leave deletes the member's row as Nova does, softly: deleted becomes the row's id, and all else stays as it was. A row of
// this program's own table is deleted for good.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	if d.schema.writer == nil {
		return d.readOnly()
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	found, err := d.remove(ctx, group, name)
	if err != nil {
		return d.failedToWrite(ctx, fmt.Sprintf("removing %q from group %q in", name, group), err)
	}
	if !found {
		return fmt.Errorf("group %q, member %q in %s: %w", group, name, d.store, drivers.ErrNoMember)
	}
	return nil
}

func (d *Driver) remove(ctx context.Context, group, name string) (found bool, err error) {
	db, err := d.store.writer(ctx, false)
	if errors.Is(err, errNoStore) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	q, s := d.store.quote, d.schema
	return d.update(ctx, db, d.deletion(nil), fmt.Sprintf("%s = ? AND %s = ?", q(s.group), q(s.name)), group, name)
}

// update changes live rows, or deletes them where there is nothing to set, and says whether there were any.
func (d *Driver) update(ctx context.Context, db *sql.DB, set, where string, args ...any) (found bool, err error) {
	q, s := d.store.quote, d.schema
	statement := fmt.Sprintf("UPDATE %s SET %s WHERE %s AND %s", q(s.table), set, where, d.live(""))
	if set == "" {
		statement = fmt.Sprintf("DELETE FROM %s WHERE %s AND %s", q(s.table), where, d.live(""))
	}
	result, err := db.ExecContext(ctx, d.store.bind(statement), args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// heartbeatOf is what a heartbeat sets: the counter, and the times of the release at hand, as Nova's service_update does.
func (d *Driver) heartbeatOf(l *layout) string {
	count := d.store.quote(d.schema.writer.reportCount)
	set := []string{count + " = " + count + " + 1"}
	for _, column := range d.schema.writer.beats {
		if l.has(column) {
			set = append(set, d.store.quote(column)+" = "+d.store.stamp(0))
		}
	}
	return strings.Join(set, ", ")
}

// death is what makes a member dead at once: a heartbeat that is a second older than service_down_time allows. The
// counter and forced_down stay as they are: nobody reported, and no operator decided.
func (d *Driver) death(l *layout) string {
	return d.store.quote(l.rule.heartbeat[0]) + " = " + d.store.stamp(d.downTime+time.Second)
}

// deletion is what deletes a row softly, in every release; empty for a table whose rows vanish.
func (d *Driver) deletion(*layout) string {
	if d.schema.deletion == rowsVanish {
		return ""
	}
	q, s := d.store.quote, d.schema
	return fmt.Sprintf("%s = id, %s = %s", q(s.deleted), q(s.deletedAt), d.store.stamp(0))
}

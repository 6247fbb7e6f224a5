package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// A presence is the row of a member that joined through this driver. It implements heartbeat.Writer.
type presence struct {
	driver *Driver
	id     int64
	group  string
	name   string
}

// Beat sends one heartbeat.
func (p *presence) Beat(ctx context.Context) error {
	ctx, cancel := p.driver.bound(ctx)
	defer cancel()
	found, err := p.write(ctx, p.driver.heartbeatOf)
	if err != nil {
		return p.driver.failedToWrite(ctx, "writing to", err)
	}
	if !found {
		return p.removed()
	}
	return nil
}

// removed is the error for a row that is gone.
func (p *presence) removed() error {
	return fmt.Errorf("group %q, member %q in %s: %w", p.group, p.name, p.driver.store, drivers.ErrRemoved)
}

// write updates the member's own row and says whether it was there. The name is compared too, in case the whole table
// was replaced meanwhile.
func (p *presence) write(ctx context.Context, set func(*layout) string) (found bool, err error) {
	d := p.driver
	db, err := d.store.writer(ctx, false)
	if err != nil {
		return false, err
	}
	l, _, err := d.layout(ctx, db)
	if err != nil {
		return false, err
	}
	q, s := d.store.quote, d.schema
	where := fmt.Sprintf("id = ? AND %s = ? AND %s = ?", q(s.group), q(s.name))
	return d.update(ctx, db, set(l), where, p.id, p.group, p.name)
}

// Leave deletes the row as Nova does.
func (p *presence) Leave(ctx context.Context) error {
	return p.conclude(ctx, "leaving", p.driver.deletion)
}

// Die sets the last heartbeat back. The time of the death is not kept: the table has no place for it, and readers know the
// heartbeats before.
func (p *presence) Die(ctx context.Context, _ time.Time) error {
	return p.conclude(ctx, "recording the death in", p.driver.death)
}

// conclude writes the last word. A row that is gone already needs none.
func (p *presence) conclude(ctx context.Context, doing string, set func(*layout) string) error {
	ctx, cancel := p.driver.bound(ctx)
	defer cancel()
	if _, err := p.write(ctx, set); err != nil {
		return p.driver.failedToWrite(ctx, fmt.Sprintf("group %q, member %q: %s", p.group, p.name, doing), err)
	}
	return nil
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

package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// A joinedRow writes the heartbeats of a member that joined through this driver. It implements heartbeat.Writer.
type joinedRow struct {
	driver *Driver
	id     int64
	group  string
	name   string
}

// Beat sends one heartbeat.
func (p *joinedRow) Beat(ctx context.Context) error {
	ctx, cancel := p.driver.bound(ctx)
	defer cancel()
	found, err := p.write(ctx, p.driver.setHeartbeat)
	if err != nil {
		return p.driver.failedToWrite(ctx, "writing to", err)
	}
	if !found {
		return p.removed()
	}
	return nil
}

// removed returns the error for a row that no longer exists.
func (p *joinedRow) removed() error {
	return fmt.Errorf("group %q, member %q in %s: %w", p.group, p.name, p.driver.database, drivers.ErrRemoved)
}

// write updates the member's row, and reports whether it exists. The WHERE clause also has the name, in case the table was
// replaced and the id belongs to another member now.
func (p *joinedRow) write(ctx context.Context, set func(*layout) string) (found bool, err error) {
	d := p.driver
	q, s := d.database.quote, d.schema
	where := fmt.Sprintf("id = ? AND %s = ? AND %s = ?", q(s.group), q(s.name))
	err = d.do(ctx, d.toWrite, func(conn *sql.Conn) error {
		l, _, err := d.layout(ctx, conn)
		if err == nil {
			found, err = d.update(ctx, conn, set(l), where, p.id, p.group, p.name)
		}
		return err
	})
	return found, err
}

// Leave deletes the row as Nova does.
func (p *joinedRow) Leave(ctx context.Context) error {
	return p.writeLast(ctx, "leaving", p.driver.setDeleted)
}

// Die sets the last heartbeat back, so that it is too old. The time of the death is not stored: the table has no column for
// it.
func (p *joinedRow) Die(ctx context.Context, _ time.Time) error {
	return p.writeLast(ctx, "recording the death in", p.driver.setDead)
}

// writeLast writes the end of the membership. It is not an error if the row no longer exists.
func (p *joinedRow) writeLast(ctx context.Context, doing string, set func(*layout) string) error {
	ctx, cancel := p.driver.bound(ctx)
	defer cancel()
	if _, err := p.write(ctx, set); err != nil {
		return p.driver.failedToWrite(ctx, fmt.Sprintf("group %q, member %q: %s", p.group, p.name, doing), err)
	}
	return nil
}

// update changes rows that are not deleted, or removes them if there is nothing to set. It reports whether there were any.
func (d *Driver) update(ctx context.Context, conn *sql.Conn, set, where string, args ...any) (found bool, err error) {
	q, s := d.database.quote, d.schema
	statement := fmt.Sprintf("UPDATE %s SET %s WHERE %s AND %s", q(s.table), set, where, d.notDeleted(""))
	if set == "" {
		statement = fmt.Sprintf("DELETE FROM %s WHERE %s AND %s", q(s.table), where, d.notDeleted(""))
	}
	result, err := conn.ExecContext(ctx, d.database.bind(statement), args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// setHeartbeat returns the SET clause of a heartbeat: the counter and the times that the release has, as in Nova's
// service_update.
func (d *Driver) setHeartbeat(l *layout) string {
	count := d.database.quote(d.schema.reportCount)
	set := []string{count + " = " + count + " + 1"}
	for _, column := range d.schema.writer.beats {
		if l.has(column) {
			set = append(set, d.database.quote(column)+" = "+d.database.stamp(0))
		}
	}
	return strings.Join(set, ", ")
}

// setDead returns the SET clause that makes a member down at once: a heartbeat that is one second older than
// service_down_time. The counter and forced_down do not change, because there was neither a report nor a decision.
func (d *Driver) setDead(l *layout) string {
	return d.database.quote(l.rule.heartbeat[0]) + " = " + d.database.stamp(d.downTime+time.Second)
}

// setDeleted returns the SET clause that deletes a row softly, in every release. It is empty for a table whose rows are
// removed.
func (d *Driver) setDeleted(*layout) string {
	if d.schema.deletion == rowsVanish {
		return ""
	}
	q, s := d.database.quote, d.schema
	return fmt.Sprintf("%s = id, %s = %s", q(s.deleted), q(s.deletedAt), d.database.stamp(0))
}

package db

import (
	"context"
	"fmt"
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

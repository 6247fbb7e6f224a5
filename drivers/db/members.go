package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"servicegroup_exporter/drivers"
)

// Members reads the table and the database's clock in one query. A member's LastHeartbeat is the time that the verdict
// went by, which for a member that never sent a heartbeat is when its row was made. Rostered is always true. The poll must
// not be changed: the next one reads it.
//
// Rows are left out without a word when they are deleted or, like those of Nova's APIs, are there for another reason than
// life. A row that can't be a member is rejected: "name" when its host or topic is missing or not UTF-8, "data" when it
// has no time at all or something else in its columns than belongs there, "duplicate" when another row of the same name
// has a newer heartbeat, as tables before 2013.2 allow.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	db, err := d.store.reader(ctx)
	if errors.Is(err, errNoStore) && ctx.Err() == nil {
		return d.nobody(), nil
	}
	if err != nil {
		return nil, d.failed(ctx, "opening", err)
	}
	poll, err := d.poll(ctx, db)
	if err != nil {
		return nil, d.failed(ctx, "reading "+d.schema.table+" of", err)
	}
	d.last.Store(poll)
	return poll, nil
}

// nobody is the poll of an embedded store that does not exist yet. Its clock is this machine's.
func (d *Driver) nobody() *drivers.Poll {
	return &drivers.Poll{Now: time.Now().UTC(), DownTime: d.downTime, Backend: "SQLite"}
}

// poll reads the table. When the columns, or what may be read of them, are not what they were, they are looked up
// again.
func (d *Driver) poll(ctx context.Context, db *sql.DB) (*drivers.Poll, error) {
	l, fresh, err := d.layout(ctx, db)
	if err != nil {
		return nil, err
	}
	poll, err := d.read(ctx, db, l)
	if err == nil || fresh {
		return poll, err
	}
	if reason, _ := d.store.classify(err); reason != drivers.ReasonSchema && reason != drivers.ReasonAuth {
		return nil, err
	}
	d.known.Store(nil)
	if l, _, err = d.layout(ctx, db); err != nil {
		return nil, err
	}
	return d.read(ctx, db, l)
}

// read runs the query of a poll.
func (d *Driver) read(ctx context.Context, db *sql.DB, l *layout) (*drivers.Poll, error) {
	limit := time.Duration(d.cfg.Timeout)
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	d.operations.Add(1)
	b := newBuilder(d.last.Load(), d.downTime, l)
	var r row
	err := d.store.query(ctx, db, limit, l.query, func(rows *sql.Rows) error {
		b.prepare(&r)
		if err := rows.Scan(r.columns()...); err != nil {
			return err
		}
		b.add(&r)
		return nil
	})
	return b.poll, err
}

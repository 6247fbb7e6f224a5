package db

import (
	"context"
	"database/sql"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"
)

// newestHeartbeat returns the newest heartbeat of a poll and its age, or any heartbeat that is at most limit old. A heartbeat
// from the future says nothing about when it was written.
func newestHeartbeat(p *drivers.Poll, limit time.Duration) (newest time.Time, age time.Duration) {
	for i := range p.Members {
		if beat := p.Members[i].LastHeartbeat; beat.After(newest) && !beat.After(p.Now) {
			if newest = beat; p.Now.Sub(beat) <= limit {
				break
			}
		}
	}
	return newest, p.Now.Sub(newest)
}

// mustBeFresh reports whether a poll must be read once more on a new connection.
func (d *Driver) mustBeFresh(p, last *drivers.Poll) bool {
	newest, age := newestHeartbeat(p, d.fresh.Least())
	return len(p.Members) > 0 && d.fresh.Suspicious(newest, age, func() bool { return last != nil && freshness.Died(p, last) })
}

// readFresh reads the table. If all heartbeats have stopped it reads it again on a new connection. If that fails, the
// states are unknown: the rows of the old connection are not believed.
func (d *Driver) readFresh(ctx context.Context) (*drivers.Poll, error) {
	last := d.lastPoll.Load()
	var used *sql.DB
	open := func(ctx context.Context) (db *sql.DB, err error) {
		used, err = d.database.reader(ctx)
		return used, err
	}
	poll, err := d.read(ctx, open)
	if err != nil || d.database.connects() == 0 || !d.mustBeFresh(poll, last) {
		return poll, err
	}
	d.logger.Debug("All heartbeats have stopped; the table is read on a new connection")
	d.database.renew(used)
	if poll, err = d.read(ctx, open); err == nil {
		newest, _ := newestHeartbeat(poll, d.fresh.Least())
		d.fresh.Confirm(newest)
	}
	return poll, err
}

// read reads the table once.
func (d *Driver) read(ctx context.Context, open opener) (poll *drivers.Poll, err error) {
	err = d.do(ctx, open, func(conn *sql.Conn) error {
		poll, err = d.readTable(ctx, conn)
		return err
	})
	return poll, err
}

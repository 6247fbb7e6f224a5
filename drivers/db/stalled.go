package db

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A freshness decides when rows must be read on a new connection before they are believed.
//
// A connection can end at a server that no member writes to any more, without an error: after a planned switchover the old
// primary stays reachable, and after a change of its address the old server continues. There all heartbeats stop at once. The
// same rows on a new connection, to a newly resolved address, are the truth.
type freshness struct {
	mu sync.Mutex
	// limit is for how long all heartbeats may stop before that is looked at. It grows if the members of this table just
	// need longer than the configuration says.
	limit time.Duration
	// newest is the newest heartbeat when the rows were last read on a new connection, and at the time of that.
	newest, at time.Time
}

// stallLimit returns for how long all heartbeats may stop in any case: one and a half report intervals, and at most half of the
// heartbeat timeout.
func (d *Driver) stallLimit() time.Duration {
	return min(time.Duration(d.cfg.ReportInterval)*3/2, d.downTime/2)
}

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

// mustBeFresh reports whether a poll must be read once more on a new connection: if all heartbeats stopped, once for as long
// as none of them moves, and again before a member is said to have died.
func (d *Driver) mustBeFresh(p, last *drivers.Poll) bool {
	f, least := &d.fresh, d.stallLimit()
	newest, age := newestHeartbeat(p, least)
	if age <= least || len(p.Members) == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if last == nil { // The connection of the first poll is new.
		f.newest, f.at = newest, time.Now()
		return false
	}
	f.limit = max(f.limit, least)
	stopped := age > f.limit && !newest.Equal(f.newest)
	if !stopped && (time.Since(f.at) <= least || !hasDeaths(p, last)) {
		return false
	}
	f.newest, f.at = newest, time.Now()
	return true
}

// confirm records that a new connection gave the same: the members themselves pause for that long.
func (d *Driver) confirm(p *drivers.Poll) {
	f := &d.fresh
	f.mu.Lock()
	defer f.mu.Unlock()
	if newest, _ := newestHeartbeat(p, f.limit); newest.Equal(f.newest) {
		f.limit = min(f.limit*3/2, d.downTime/2)
	}
}

// hasDeaths reports whether a member is down that was up in the poll before.
func hasDeaths(p, last *drivers.Poll) bool {
	up := make(map[drivers.Key]bool, len(last.Members))
	for i := range last.Members {
		up[last.Members[i].Key()] = last.Members[i].Up
	}
	for i := range p.Members {
		if m := &p.Members[i]; !m.Up && up[m.Key()] {
			return true
		}
	}
	return false
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
		d.confirm(poll)
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

// Package freshness decides when heartbeats must be read on a new connection before they are believed. It is shared by the
// drivers for backends in which members write heartbeats.
//
// A connection can end at a server that no member writes to any more, without an error: after a planned switchover the old
// primary stays reachable, after a change of its name's address the old server continues, and a load balancer leads new
// connections to another server. There all heartbeats stop at once. What a new connection to a newly resolved address reads is
// the truth.
package freshness

import (
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// MaxLifetime is how long a connection is used for reading at most. Some changes end no connection and stop no heartbeat: a load
// balancer prefers another server, an account was locked. A connection costs some milliseconds.
const MaxLifetime = 5 * time.Minute

// Lifetime returns how long a connection is used at most on which the heartbeats of joined members are written: half of the
// heartbeat timeout. A server that other programs no longer read accepts heartbeats without an error, and the members must write to the new
// server before their last heartbeat there is too old.
func Lifetime(timeout time.Duration) time.Duration { return min(MaxLifetime, timeout/2) }

// A Check watches the newest heartbeat that one connection, or one pool of connections, shows. Its methods may be called
// concurrently.
type Check struct {
	least, most time.Duration

	mu    sync.Mutex
	begun bool
	// limit is for how long all heartbeats may stop before that is looked at. It grows from least to most if the members
	// just need longer than the configuration says.
	limit time.Duration
	// newest is the newest heartbeat when it was last read on a new connection, and at the time of that.
	newest, at time.Time
}

// New returns a check for members with a report interval and a heartbeat timeout. In any case all heartbeats may stop for one
// and a half report intervals, and for at most half of the timeout.
func New(interval, timeout time.Duration) *Check {
	most := timeout / 2
	least := min(interval*3/2, most)
	return &Check{least: least, most: most, limit: least}
}

// Least returns the age up to which a newest heartbeat is never suspicious.
func (c *Check) Least() time.Duration { return c.least }

// Suspicious reports whether the heartbeats must be read once more, on a new connection, given the newest of them and its age.
// That is so once for as long as none of them advances, and again before members are said to have died. The first
// heartbeats are not suspicious, since their connection is new.
func (c *Check) Suspicious(newest time.Time, age time.Duration, died func() bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		c.begun, c.newest, c.at = true, newest, time.Now()
		return false
	}
	if age <= c.least {
		return false
	}
	stopped := age > c.limit && !newest.Equal(c.newest)
	if !stopped && (time.Since(c.at) <= c.least || !died()) {
		return false
	}
	c.newest, c.at = newest, time.Now()
	return true
}

// Confirm records what a new connection showed. If it is the same, the members themselves pause for that long.
func (c *Check) Confirm(newest time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if newest.Equal(c.newest) {
		c.limit = min(c.limit*3/2, c.most)
	}
}

// Died reports whether a member that was up in the last poll is not up now.
func Died(now, last *drivers.Poll) bool {
	if len(now.Members) == len(last.Members) && (len(now.Members) == 0 || &now.Members[0] == &last.Members[0]) {
		return false // The driver returned the same members again.
	}
	up := make(map[drivers.Key]bool, len(now.Members))
	for i := range now.Members {
		up[now.Members[i].Key()] = now.Members[i].Up
	}
	for i := range last.Members {
		if m := &last.Members[i]; m.Up && !up[m.Key()] {
			return true
		}
	}
	return false
}

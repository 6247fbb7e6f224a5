package collector

import "time"

// waiterMemory is how long the deadline of a waiter counts for later polls: twice the longest scrape interval that is usual.
const waiterMemory = 10 * time.Minute

// A patience remembers the longest time that any waiter had lately. A poll that was started for a waiter with less time gets that
// time: the end of one waiter is not a failure of the source, and a request that is cut off costs a connection. So a scraper with a
// short timeout does no harm beside one with a long timeout, also when their scrapes never overlap.
type patience struct {
	timeout time.Duration
	at      time.Time // when a waiter with this time came last
}

// note takes in the time that a waiter has.
func (p *patience) note(now time.Time, timeout time.Duration) {
	if timeout >= p.longest(now) {
		p.timeout, p.at = timeout, now
	}
}

// longest returns the longest time of the waiters that came lately, zero if none came.
func (p *patience) longest(now time.Time) time.Duration {
	if now.Sub(p.at) > waiterMemory {
		return 0
	}
	return p.timeout
}

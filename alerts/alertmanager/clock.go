package alertmanager

import (
	"sync"
	"time"
)

// maxDrift is how fast two clocks may move apart: ten times what quartz does.
const maxDrift = 500e-6

// A clock knows the time of an Alertmanager, as far as the Date headers of its answers tell.
//
// A Date says a whole second in which the answer was made, between the moments when the request was sent and when the
// answer came. So each answer bounds the difference between that clock and the monotonic clock of this process, and
// answers together bound it more tightly. Within the bounds the clock of this machine is believed, so that nothing is
// distorted while the two are equal; beyond them it is corrected by as little as the bounds ask for. Since only the
// monotonic clock is compared, setting the clock of this machine changes nothing but what it is compared with.
type clock struct {
	base time.Time // with a monotonic reading

	mu        sync.Mutex
	known     bool
	low, high time.Duration // that clock, minus base and the monotonic time since
	at        time.Time     // when they were
}

// A reading is a moment in an Alertmanager's time.
type reading struct {
	local time.Time // the moment, with a monotonic reading
	// now is the best estimate of its clock, and earliest what it shows at least.
	now, earliest time.Time
	offset        time.Duration // its clock minus this machine's
}

func newClock() *clock { return &clock{base: time.Now()} }

// steady gives the time that this machine's clock would show had nobody set it since the start.
func (c *clock) steady(t time.Time) time.Time { return c.base.Round(0).Add(t.Sub(c.base)) }

// observe takes the Date of an answer.
func (c *clock) observe(date, sent, received time.Time) {
	low := date.Sub(c.steady(received))
	high := date.Add(time.Second).Sub(c.steady(sent))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known {
		before, after := c.bounds(received)
		// Bounds that exclude each other mean that a clock was set: what was known is wrong.
		if before <= high && low <= after {
			low, high = max(low, before), min(high, after)
		}
	}
	c.known, c.low, c.high, c.at = true, low, high, received
}

// bounds gives the bounds as wide as they have become since.
func (c *clock) bounds(t time.Time) (low, high time.Duration) {
	drift := time.Duration(float64(t.Sub(c.at)) * maxDrift)
	return c.low - drift, c.high + drift
}

// isKnown says whether any answer had a Date.
func (c *clock) isKnown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// read gives the time of the Alertmanager at a moment that has a monotonic reading: this machine's, while nothing is known.
func (c *clock) read(t time.Time) reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := t.Round(0)
	if !c.known {
		return reading{local: t, now: wall, earliest: wall}
	}
	steady := c.steady(t)
	own := wall.Sub(steady)
	low, high := c.bounds(t)
	best := min(max(own, low), high)
	return reading{local: t, now: steady.Add(best), earliest: steady.Add(low), offset: best - own}
}

// at gives the Alertmanager's time of an earlier moment: never after its now.
func (r reading) at(t time.Time) time.Time {
	return r.now.Add(-max(0, r.local.Sub(t)))
}

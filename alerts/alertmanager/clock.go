package alertmanager

import (
	"sync"
	"time"
)

// maxDrift is the rate at which two clocks may drift apart: ten times that of quartz clocks.
const maxDrift = 500e-6

// A clock estimates the time that an Alertmanager's clock shows, from the Date headers of its answers.
//
// A Date header names the whole second in which an answer was made: after the request was sent, and before the answer was
// received. So each answer bounds the difference between the Alertmanager's clock and this process's monotonic clock, and
// further answers narrow the bounds. Within the bounds the clock of this machine is used as it is, so that nothing changes
// while both clocks are equal; beyond them it is corrected to the nearest bound. Only the monotonic clock is compared,
// so that the bounds stay right when the clock of this machine is set.
type clock struct {
	base time.Time // with a monotonic reading

	mu        sync.Mutex
	known     bool          // whether an answer had a Date
	low, high time.Duration // bounds of the Alertmanager's clock minus steady time
	at        time.Time     // when the bounds were found
}

// A clockSample is a moment in an Alertmanager's time.
type clockSample struct {
	local time.Time // the moment, with a monotonic reading
	// now is the best estimate of the Alertmanager's clock, and earliest the least that this clock can show.
	now, earliest time.Time
	offset        time.Duration // the Alertmanager's clock minus this machine's
}

func newClock() *clock { return &clock{base: time.Now()} }

// steady returns the time that this machine's clock would show if it had not been set since the start.
func (c *clock) steady(t time.Time) time.Time { return c.base.Round(0).Add(t.Sub(c.base)) }

// observe narrows the bounds by the Date of an answer.
func (c *clock) observe(date, sent, received time.Time) {
	low := date.Sub(c.steady(received))
	high := date.Add(time.Second).Sub(c.steady(sent))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known {
		before, after := c.bounds(received)
		// If the old and the new bounds exclude each other, the Alertmanager's clock was set: the old ones are wrong.
		if before <= high && low <= after {
			low, high = max(low, before), min(high, after)
		}
	}
	c.known, c.low, c.high, c.at = true, low, high, received
}

// bounds returns the bounds at a time, widened by the drift since they were found.
func (c *clock) bounds(t time.Time) (low, high time.Duration) {
	drift := time.Duration(float64(t.Sub(c.at)) * maxDrift)
	return c.low - drift, c.high + drift
}

// isKnown returns whether any answer had a Date.
func (c *clock) isKnown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// sample returns the Alertmanager's time at a moment that has a monotonic reading. It is this machine's time until an answer
// had a Date.
func (c *clock) sample(t time.Time) clockSample {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := t.Round(0)
	if !c.known {
		return clockSample{local: t, now: wall, earliest: wall}
	}
	steady := c.steady(t)
	own := wall.Sub(steady)
	low, high := c.bounds(t)
	best := min(max(own, low), high)
	return clockSample{local: t, now: steady.Add(best), earliest: steady.Add(low), offset: best - own}
}

// at returns the Alertmanager's time of an earlier moment. It is never after s.now.
func (s clockSample) at(t time.Time) time.Time {
	return s.now.Add(-max(0, s.local.Sub(t)))
}

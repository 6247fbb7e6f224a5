package alertmanager

import (
	"sync"
	"time"
)

// maxDrift is the rate at which two clocks may drift apart: ten times that of quartz clocks.
const maxDrift = 500e-6

// dateTolerance is how much two Date headers, or a Date header and a clock, differ at most while they say the same: whole seconds,
// and the time that an answer takes.
const dateTolerance = 2 * time.Second

// confirmInterval is how often Alertmanager is asked for an alert that it has just accepted.
const confirmInterval = time.Minute

// A clock estimates the time that an Alertmanager's clock shows, from the times at which Alertmanager says that it received
// alerts: see confirm.
//
// Such a time lies after the post was sent, and before the answer with it was received. So each bounds the difference between the
// Alertmanager's clock and this process's monotonic clock, and further ones narrow the bounds. Within the bounds the clock of this
// machine is used as it is, so that nothing changes while both clocks are equal; beyond them it is corrected to the nearest
// bound. Only the monotonic clock is compared, so that the bounds stay right when the clock of this machine is set.
//
// The Date header is no such time: proxies write it too, by their own clocks. It is only a hint. While nothing better is known and
// it differs from this machine's clock, alerts are posted without times. When it changes, Alertmanager is asked.
type clock struct {
	base time.Time // with a monotonic reading

	mu        sync.Mutex
	known     bool          // whether Alertmanager has told when it received an alert
	low, high time.Duration // bounds of the Alertmanager's clock minus steady time
	at        time.Time     // when the bounds were found
	doubted   bool          // this machine's clock was wrong for Alertmanager, and nothing better is known yet

	hinted      bool          // whether an answer had a Date
	hint        time.Duration // the last Date minus steady time
	confirmed   time.Time     // when Alertmanager was last asked; zero: never
	hintAtAsked time.Duration // hint at that time
}

// A clockSample is a moment in an Alertmanager's time.
type clockSample struct {
	local time.Time // the moment, with a monotonic reading
	// now is the best estimate of the Alertmanager's clock, and earliest the least that this clock can show.
	now, earliest time.Time
	offset        time.Duration // the Alertmanager's clock minus this machine's
	// doubtful is true if the Alertmanager's clock is not known, and may differ from this machine's.
	doubtful bool
}

func newClock() *clock { return &clock{base: time.Now()} }

// steady returns the time that this machine's clock would show if it had not been set since the start.
func (c *clock) steady(t time.Time) time.Time { return c.base.Round(0).Add(t.Sub(c.base)) }

// observe narrows the bounds by a time that the Alertmanager's clock showed, cut to a resolution, after sent and before received.
func (c *clock) observe(shown time.Time, resolution time.Duration, sent, received time.Time) {
	low := shown.Sub(c.steady(received))
	high := shown.Add(resolution).Sub(c.steady(sent))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known {
		before, after := c.bounds(received)
		// If the old and the new bounds exclude each other, the Alertmanager's clock was set: the old ones are wrong.
		if before <= high && low <= after {
			low, high = max(low, before), min(high, after)
		}
	}
	c.known, c.low, c.high, c.at, c.doubted = true, low, high, received, false
}

// seeDate takes in the Date header of an answer.
func (c *clock) seeDate(date, received time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hinted, c.hint = true, date.Sub(c.steady(received))
}

// doubt notes that this machine's clock, or what was known of the Alertmanager's, is wrong.
func (c *clock) doubt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.doubted = false, true
}

// asked notes that Alertmanager is being asked.
func (c *clock) asked(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.confirmed, c.hintAtAsked, c.doubted = now, c.hint, false
}

// mustAsk returns whether it is time to ask Alertmanager: it was not for long, or the Date header has changed since.
func (c *clock) mustAsk(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.confirmed.IsZero() || now.Sub(c.confirmed) >= confirmInterval || c.hasNewHint()
}

// mayBeSet returns whether the Alertmanager's clock may have been set since it was asked: the Date header has changed.
func (c *clock) mayBeSet() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hasNewHint()
}

func (c *clock) hasNewHint() bool { return (c.hint - c.hintAtAsked).Abs() > dateTolerance }

// wrongDate returns by how much the Date header is ahead of the Alertmanager's clock, zero if that may be right or is not known.
func (c *clock) wrongDate(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || !c.hinted {
		return 0
	}
	low, high := c.bounds(now)
	if off := c.hint - (low+high)/2; off.Abs() > dateTolerance+(high-low)/2 {
		return off
	}
	return 0
}

// bounds returns the bounds at a time, widened by the drift since they were found.
func (c *clock) bounds(t time.Time) (low, high time.Duration) {
	drift := time.Duration(float64(t.Sub(c.at)) * maxDrift)
	return c.low - drift, c.high + drift
}

// isKnown returns whether Alertmanager has told when it received an alert, and hasHint whether an answer had a Date.
func (c *clock) isKnown() (known, hasHint bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known, c.hinted
}

// sample returns the Alertmanager's time at a moment that has a monotonic reading. It is this machine's time while the
// Alertmanager's clock is not known.
func (c *clock) sample(t time.Time) clockSample {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := t.Round(0)
	steady := c.steady(t)
	own := wall.Sub(steady)
	if !c.known {
		doubtful := c.doubted || c.hinted && (c.hint-own).Abs() > dateTolerance
		return clockSample{local: t, now: wall, earliest: wall, doubtful: doubtful}
	}
	low, high := c.bounds(t)
	best := min(max(own, low), high)
	return clockSample{local: t, now: steady.Add(best), earliest: steady.Add(low), offset: best - own}
}

// at returns the Alertmanager's time of an earlier moment. It is never after s.now.
func (s clockSample) at(t time.Time) time.Time {
	return s.now.Add(-max(0, s.local.Sub(t)))
}

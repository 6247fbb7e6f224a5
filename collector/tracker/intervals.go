package tracker

import (
	"slices"
	"time"
)

// quantileCount is how many quantiles a group has of its members' reporting intervals.
const quantileCount = 5

// Quantiles are the values of a group's members below which 0, 50, 90, 99 and 100 percent of them are.
type Quantiles [quantileCount]time.Duration

// quantilesOf returns the quantiles of values, which it sorts. There must be one.
func quantilesOf(values []time.Duration) Quantiles {
	slices.Sort(values)
	var all Quantiles
	for i, percent := range [quantileCount]int{0, 50, 90, 99, 100} {
		all[i] = values[max(0, (len(values)*percent+99)/100-1)]
	}
	return all
}

// countIntervals sets the quantiles of the reporting intervals of all groups, if an interval has changed.
func (t *Tracker) countIntervals() {
	if !t.intervalsChanged {
		return
	}
	t.intervalsChanged = false
	for _, g := range t.groups {
		g.HasIntervals = false
	}
	t.intervals = t.intervals[:0]
	for i, m := range t.order {
		if b := m.beats; b != nil && b.interval > 0 {
			t.intervals = append(t.intervals, b.interval)
		}
		if last := i+1 == len(t.order) || t.order[i+1].Group != m.Group; last && len(t.intervals) > 0 {
			g := t.groups[m.Group]
			g.Intervals, g.HasIntervals = quantilesOf(t.intervals), true
			t.intervals = t.intervals[:0]
		}
	}
}

// PollsTooRare returns how often the source is polled, and whether that is too rare: even of the members that report most often, one that
// dies may not be suspected before it is down by the service's own rule. The time is zero if this is not known.
func (t *Tracker) PollsTooRare() (every time.Duration, tooRare bool) {
	every = t.pollGaps.longest(oddGaps)
	if every == 0 || t.shortest == 0 || !t.opts.Suspicion.Enabled || t.opts.Suspicion.Limit(t.shortest) >= t.downTime {
		return 0, false
	}
	return every, t.opts.Suspicion.Longest(t.shortest, every) >= t.downTime
}

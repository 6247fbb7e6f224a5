package tracker

import "time"

// quantileCount is how many quantiles a group has of its members' reporting intervals, and of the ages of their heartbeats.
const quantileCount = 5

// Quantiles are the values of a group's members below which 0, 50, 90, 99 and 100 percent of them are.
type Quantiles [quantileCount]time.Duration

// quantilesOf returns the quantiles of values, which it reorders. There must be one.
func quantilesOf(values []time.Duration) Quantiles {
	var all Quantiles
	from := 0
	for i, percent := range [quantileCount]int{0, 50, 90, 99, 100} {
		at := max(0, (len(values)*percent+99)/100-1)
		all[i] = selectAt(values[from:], at-from)
		from = at
	}
	return all
}

// selectAt returns the value that would be at an index if the values were sorted. It moves smaller ones before it and larger ones after it.
// This is Hoare's FIND. To sort the ages of ten thousand members would make their poll an eighth longer.
func selectAt(values []time.Duration, index int) time.Duration {
	low, high := 0, len(values)-1
	for low < high {
		pivot := values[(low+high)/2]
		i, j := low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case index <= j:
			high = j
		case index >= i:
			low = i
		default:
			return values[index]
		}
	}
	return values[index]
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
	t.values = t.values[:0]
	for i, m := range t.order {
		if b := m.beats; b != nil && b.interval > 0 {
			t.values = append(t.values, b.interval)
		}
		if last := i+1 == len(t.order) || t.order[i+1].Group != m.Group; last && len(t.values) > 0 {
			g := t.groups[m.Group]
			g.Intervals, g.HasIntervals = quantilesOf(t.values), true
			t.values = t.values[:0]
		}
	}
}

// noteAge notes the age of a member's heartbeat. The members of a group come one after the other.
func (t *Tracker) noteAge(m *Member) {
	if m.InService() && m.unreadable == entryVerdict && !m.LastHeartbeat.IsZero() {
		t.values = append(t.values, t.now.clock.Sub(m.LastHeartbeat))
	}
}

// endAges sets the quantiles of the ages that were noted of a group's members, if there is one.
func (t *Tracker) endAges(g *Group) {
	if len(t.values) == 0 {
		return
	}
	g.Ages, g.HasAges = quantilesOf(t.values), true
	t.values = t.values[:0]
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

package bridge

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
)

// A state has every alert that fires, and every alert that is over but not yet forgotten. Its methods take the current time
// as an argument. It is used by one goroutine.
type state struct {
	entries map[alerts.ID]*entry
	// waiting has since when a condition has been true that must be true for some time.
	waiting map[alerts.ID]time.Time
	// ended has the retained alerts that another sender has resolved, with their last numbers, until their conditions can be
	// evaluated again.
	ended map[alerts.ID]alerts.Facts
}

// An entry is the state of one alert.
type entry struct {
	id    alerts.ID
	start time.Time // when the alert began to fire
	facts alerts.Facts
	// retained is since when the condition can't be evaluated; zero: it holds now.
	retained time.Time
	// firstPost and lastPost are when this process posted the alert with the current setup; zero: not yet.
	firstPost, lastPost time.Time
	// over is when the condition ceased to hold; zero: the alert fires. resolved is when Alertmanager was first told so; zero:
	// not yet.
	over, resolved time.Time
	withdrawn      bool // since it is over, the alert was removed from the queues
}

// newState returns a state with what an earlier run has saved.
func newState(saved savedState) *state {
	s := &state{entries: map[alerts.ID]*entry{}, waiting: map[alerts.ID]time.Time{}, ended: map[alerts.ID]alerts.Facts{}}
	for _, a := range saved.Firing {
		id := a.id()
		s.entries[id] = &entry{id: id, start: a.Start, facts: a.Facts}
	}
	for _, a := range saved.Ended {
		s.ended[a.id()] = a.Facts
	}
	return s
}

// update takes over what [evaluate] and [undecided] have returned. It returns whether there is something to save.
func (s *state) update(
	holds map[alerts.ID]condition, undecided func(alerts.ID, *alerts.Facts) bool, now time.Time,
) (changed bool) {
	for id, facts := range s.ended {
		if c, ok := holds[id]; !c.retained && (ok || !undecided(id, &facts)) {
			delete(s.ended, id)
			changed = true
		}
	}
	maps.DeleteFunc(s.waiting, func(id alerts.ID, _ time.Time) bool { _, ok := holds[id]; return !ok })
	for id, c := range holds {
		if _, ended := s.ended[id]; ended {
			continue
		}
		e := s.entries[id]
		if e == nil || !e.over.IsZero() {
			if s.mustWait(id, c.hold, now) {
				continue
			}
			e = newEntry(id, c.since, now)
			s.entries[id] = e
			changed = true
		}
		e.facts = c.facts
		e.retain(c.retained, now)
	}
	for id, e := range s.entries {
		if _, ok := holds[id]; ok || !e.over.IsZero() {
			continue
		}
		if undecided(id, &e.facts) {
			e.retain(true, now)
			continue
		}
		e.over = now
		changed = true
	}
	return changed
}

// mustWait returns whether a condition that holds has not been true for long enough.
func (s *state) mustWait(id alerts.ID, hold time.Duration, now time.Time) bool {
	if hold == 0 {
		return false
	}
	since, known := s.waiting[id]
	if !known {
		since = now
		s.waiting[id] = now
	}
	return now.Sub(since) < hold
}

// newEntry returns the entry of an alert whose condition has been true since some time; zero: that is not known.
func newEntry(id alerts.ID, since, now time.Time) *entry {
	if since.IsZero() || since.After(now) {
		since = now
	}
	return &entry{id: id, start: since}
}

// retain notes whether the condition of a firing alert can't be evaluated.
func (e *entry) retain(retained bool, now time.Time) {
	switch {
	case !retained:
		e.retained = time.Time{}
	case e.retained.IsZero():
		e.retained = now
	}
}

// endRetained ends retained alerts that another sender has resolved, until their conditions can be evaluated again. It returns
// how many. The IDs are without attributes.
func (s *state) endRetained(ids []alerts.ID, now time.Time) int {
	if len(ids) == 0 {
		return 0
	}
	n := 0
	for id, e := range s.entries {
		if e.isRetained() && slices.Contains(ids, id.WithoutAttributes()) {
			e.over = now
			s.ended[id] = e.facts
			n++
		}
	}
	return n
}

// isRetained returns whether the alert fires although its condition can't be evaluated.
func (e *entry) isRetained() bool { return e.over.IsZero() && !e.retained.IsZero() }

// retained returns the number of retained alerts.
func (s *state) retained() int {
	n := 0
	for _, e := range s.entries {
		if e.isRetained() {
			n++
		}
	}
	return n
}

// due returns the alerts to post now, and the alerts that are over since the last call: these must not be posted any more
// where they are still queued. The argument detected has the times at which new deaths were detected, by the ID without attributes.
func (s *state) due(schedule *schedule, builder *alerts.Builder, detected map[alerts.ID]time.Time, now time.Time) (
	due, over []*alertmanager.Alert,
) {
	for id, e := range s.entries {
		if !e.over.IsZero() && !e.withdrawn {
			e.withdrawn = true
			over = append(over, e.build(builder))
		}
		end, post := schedule.plan(e, now)
		if schedule.canForget(e, now) {
			delete(s.entries, id)
		}
		if !post {
			continue
		}
		e.lastPost = now
		if e.firstPost.IsZero() {
			e.firstPost = now
		}
		alert := e.build(builder)
		alert.Detected, alert.End, alert.Retained = detected[e.id.WithoutAttributes()], end, schedule.yieldsToOthers(e, now)
		due = append(due, alert)
	}
	slices.SortFunc(due, func(a, b *alertmanager.Alert) int { return cmp.Compare(rank(a), rank(b)) })
	return due, over
}

// rank returns where an alert is in a post: alerts about zones and hosts come first, because they inhibit others.
func rank(a *alertmanager.Alert) int {
	switch {
	case a.Labels["scope"] == "zone":
		return 0
	case a.Labels["scope"] == "host":
		return 1
	case a.First:
		return 2
	default:
		return 3
	}
}

// firing returns all alerts that fire, the oldest first.
func (s *state) firing(builder *alerts.Builder) []*alertmanager.Alert {
	var firing []*alertmanager.Alert
	for _, e := range s.entries {
		if e.over.IsZero() {
			firing = append(firing, e.build(builder))
		}
	}
	slices.SortFunc(firing, func(a, b *alertmanager.Alert) int { return cmp.Compare(a.Start.UnixNano(), b.Start.UnixNano()) })
	return firing
}

// saved returns what is saved for the next run.
func (s *state) saved() savedState {
	saved := savedState{Firing: []savedAlert{}}
	for id, e := range s.entries {
		if e.over.IsZero() {
			saved.Firing = append(saved.Firing, newSavedAlert(id, e.start, e.facts))
		}
	}
	for id, facts := range s.ended {
		saved.Ended = append(saved.Ended, newSavedAlert(id, time.Time{}, facts))
	}
	return saved
}

// forgetPosts makes every alert due again, as if it were new.
func (s *state) forgetPosts() {
	for _, e := range s.entries {
		e.firstPost, e.lastPost = time.Time{}, time.Time{}
	}
}

// build returns the alert as Alertmanager gets it.
func (e *entry) build(builder *alerts.Builder) *alertmanager.Alert {
	alert := builder.Build(e.id, e.facts)
	alert.Start = e.start
	return alert
}

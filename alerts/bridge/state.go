package bridge

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
)

// A state has every alert that fires, and every alert that is over but not yet forgotten. Its methods take the current time
// as an argument. It is used by one goroutine.
type state struct {
	entries map[alerts.ID]*entry
}

// An entry is the state of one alert.
type entry struct {
	id    alerts.ID
	start time.Time // when the alert began to fire
	// retained is since when the alert fires only because its condition is unknown; zero: the condition holds.
	retained time.Time
	// firstPost and lastPost are when this process posted the alert with the current setup; zero: not yet.
	firstPost, lastPost time.Time
	// over is when the condition ceased to hold; zero: the alert fires. resolved is when Alertmanager was first told so; zero:
	// not yet.
	over, resolved time.Time
	withdrawn      bool // since it is over, the alert was removed from the queues
}

// newState returns a state with the alerts that were saved by an earlier run. They are retained until their conditions can
// be evaluated.
func newState(saved []savedAlert) *state {
	s := &state{entries: map[alerts.ID]*entry{}}
	for _, a := range saved {
		id := alerts.ID{Alert: a.Alert, Source: a.Source, Group: a.Group, Member: a.Member}
		s.entries[id] = &entry{id: id, start: a.Start}
	}
	return s
}

// update takes over what [evaluate] has returned. It returns whether an alert began to fire or is over.
func (s *state) update(firing map[alerts.ID]time.Time, unknown func(alerts.ID) bool, now time.Time) (changed bool) {
	for id, since := range firing {
		e := s.entries[id]
		if e == nil || !e.over.IsZero() {
			if since.IsZero() || since.After(now) {
				since = now
			}
			e = &entry{id: id, start: since}
			s.entries[id] = e
			changed = true
		}
		e.retained = time.Time{}
	}
	for id, e := range s.entries {
		if _, fires := firing[id]; fires || !e.over.IsZero() {
			continue
		}
		switch {
		case !unknown(id):
			e.over = now
			changed = true
		case e.retained.IsZero():
			e.retained = now
		}
	}
	return changed
}

// endRetained ends retained alerts that another sender has resolved. It returns how many.
func (s *state) endRetained(ids []alerts.ID, now time.Time) int {
	n := 0
	for _, id := range ids {
		if e := s.entries[id]; e != nil && e.isRetained() {
			e.over = now
			n++
		}
	}
	return n
}

// isRetained returns whether the alert fires only because its condition is unknown.
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
// where they are still queued. The argument detected has the times at which new deaths were detected.
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
		alert.Detected, alert.End, alert.Retained = detected[id], end, schedule.yieldsToOthers(e, now)
		due = append(due, alert)
	}
	return due, over
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

// saved returns what is saved for the next run: the alerts that fire.
func (s *state) saved() []savedAlert {
	saved := []savedAlert{}
	for id, e := range s.entries {
		if e.over.IsZero() {
			saved = append(saved, savedAlert{id.Alert, id.Source, id.Group, id.Member, e.start})
		}
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
	alert := builder.Build(e.id)
	alert.Start = e.start
	return alert
}

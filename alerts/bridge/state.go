package bridge

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
)

// A ledger has everything that fires, and what has been over for a while if somebody is to be told so. It is told what
// time it is, and is used by one goroutine.
type ledger struct {
	entries map[alerts.ID]*entry
}

// An entry is one alert.
type entry struct {
	id    alerts.ID
	start time.Time
	blind time.Time // since when it goes on only because nothing is known any more; zero: something is
	// known is when this process first posted it, and sent when it last did; zero: not yet.
	known, sent time.Time
	// over is since when it has not fired, zero while it does. ended is when Alertmanager was first told so.
	over, ended time.Time
	withdrawn   bool // what still waits to be posted of it since it is over
}

func newLedger(remembered []rememberedAlert) *ledger {
	l := &ledger{entries: map[alerts.ID]*entry{}}
	for _, r := range remembered {
		l.entries[r.id()] = &entry{id: r.id(), start: r.Start}
	}
	return l
}

// update takes over what fires now. It tells whether that is anything else than before.
func (l *ledger) update(s *survey, now time.Time) (changed bool) {
	for id, since := range s.firing {
		e := l.entries[id]
		if e == nil || !e.over.IsZero() {
			if since.IsZero() || since.After(now) {
				since = now
			}
			e = &entry{id: id, start: since}
			l.entries[id] = e
			changed = true
		}
		e.blind = time.Time{}
	}
	for id, e := range l.entries {
		if _, fires := s.firing[id]; fires || !e.over.IsZero() {
			continue
		}
		switch {
		case !s.unknown(id):
			e.over = now
			changed = true
		case e.blind.IsZero():
			e.blind = now
		}
	}
	return changed
}

// end ends alerts that are only held: somebody else knows that they are over. It gives how many.
func (l *ledger) end(ids []alerts.ID, now time.Time) int {
	n := 0
	for _, id := range ids {
		if e := l.entries[id]; e != nil && e.isHeld() {
			e.over = now
			n++
		}
	}
	return n
}

// isHeld tells whether the alert goes on only because nothing is known any more.
func (e *entry) isHeld() bool { return e.over.IsZero() && !e.blind.IsZero() }

// held is how many alerts go on only because nothing is known any more.
func (l *ledger) held() int {
	n := 0
	for _, e := range l.entries {
		if e.isHeld() {
			n++
		}
	}
	return n
}

// due gives the alerts that are to be posted now, those that are new among them, and those that are over since the last
// time: whoever has not been told of them yet is not to be told any more.
func (l *ledger) due(s *schedule, builder *alerts.Builder, seen deaths, now time.Time) (due, over []*alertmanager.Alert) {
	for id, e := range l.entries {
		if !e.over.IsZero() && !e.withdrawn {
			e.withdrawn = true
			over = append(over, e.write(builder))
		}
		end, post := s.plan(e, now)
		if s.forgotten(e, now) {
			delete(l.entries, id)
		}
		if !post {
			continue
		}
		e.sent = now
		if e.known.IsZero() {
			e.known = now
		}
		alert := e.write(builder)
		alert.Detected, alert.End, alert.Held = seen[id], end, s.othersKnow(e, now)
		due = append(due, alert)
	}
	return due, over
}

// firing gives everything that fires, the oldest first.
func (l *ledger) firing(builder *alerts.Builder) []*alertmanager.Alert {
	var firing []*alertmanager.Alert
	for _, e := range l.entries {
		if e.over.IsZero() {
			firing = append(firing, e.write(builder))
		}
	}
	slices.SortFunc(firing, func(a, b *alertmanager.Alert) int { return cmp.Compare(a.Start.UnixNano(), b.Start.UnixNano()) })
	return firing
}

// forgetSent makes everything be posted again as if it were new.
func (l *ledger) forgetSent() {
	for _, e := range l.entries {
		e.known, e.sent = time.Time{}, time.Time{}
	}
}

// write gives the alert. Those about more than one member are posted first: they inhibit those about members.
func (e *entry) write(builder *alerts.Builder) *alertmanager.Alert {
	p := builder.Write(e.id)
	return &alertmanager.Alert{
		Labels: p.Labels, Annotations: p.Annotations, GeneratorURL: p.GeneratorURL,
		Start: e.start, First: e.id.Member == "",
	}
}

package collector

import "servicegroup_exporter/drivers"

// judge decides what became of a member since the poll before. It returns false when the member is to be forgotten.
func (t *tracker) judge(rec *record, r *reading, out *outcome) bool {
	if rec.isNew() {
		t.meet(rec, r, out)
		return true
	}
	if rec.entry != entryNone {
		t.lose(rec, r)
		return true
	}
	rec.find(r)
	if rec.row == nil {
		return t.miss(rec, r, out)
	}
	t.compare(rec, r, out)
	return true
}

// meet sees a member for the first time.
func (t *tracker) meet(rec *record, r *reading, out *outcome) {
	if rec.entry == entryNone {
		t.begin(rec, r)
	} else {
		rec.turn(Unknown, r.seen)
		t.lose(rec, r)
	}
	if t.known {
		out.add(t, EventJoin, rec, r)
	}
}

// begin takes the first verdict about a member. It may have been dead for long: that is no death.
func (t *tracker) begin(rec *record, r *reading) {
	rec.update(rec.row, r.now)
	if rec.member.Up {
		rec.turn(Up, r.seen)
		rec.lastUp = r.start
		return
	}
	rec.turn(Down, r.seen)
	if !rec.forced() {
		rec.silent, rec.hasSilent = silence(rec, rec.row, t.last, r)
	}
}

// compare sees a member again.
func (t *tracker) compare(rec *record, r *reading, out *outcome) {
	if rec.state == Unknown {
		t.begin(rec, r)
		return
	}
	wasForced := rec.forced()
	rec.update(rec.row, r.now)
	switch {
	case rec.member.Up && rec.state == Up:
		rec.held, rec.outages = false, 0
	case rec.member.Up && wasForced:
		rec.turn(Up, r.seen)
		out.add(t, EventForcedUp, rec, r)
	case rec.member.Up:
		t.recover(rec, r, out)
	case rec.state == Up && rec.forced():
		rec.turn(Down, r.seen)
		out.add(t, EventForcedDown, rec, r)
	case rec.state == Up:
		t.doubt(rec, rec.row, r, out)
	}
	if rec.member.Up {
		rec.lastUp = r.start
	}
}

// miss looks in vain for a member.
func (t *tracker) miss(rec *record, r *reading, out *outcome) bool {
	switch {
	case rec.member.Rostered || rec.state == Unknown:
		out.add(t, EventLeave, rec, r)
		return false
	case rec.state == Up:
		t.doubt(rec, nil, r, out)
	case r.seen.sub(rec.since) >= t.forgetAfter:
		out.add(t, EventForgotten, rec, r)
		return false
	}
	return true
}

// doubt decides about a member that was up and looks dead: it died, unless its silence is excused.
func (t *tracker) doubt(rec *record, row *drivers.Member, r *reading, out *outcome) {
	if t.gapped {
		rec.outages++
	}
	if rest, excused := t.excuse(rec, row, r); excused && rec.outages <= maxOutages {
		rec.held, rec.member.Up = true, false
		if out.recheck == 0 || rest < out.recheck {
			out.recheck = max(rest, minRecheck)
		}
		return
	}
	silent, ok := silence(rec, row, t.last, r)
	if !rec.heartbeat.IsZero() && !t.set.isZero() && t.set.sub(rec.lastUp) > 0 {
		silent, ok = 0, false // Its last heartbeat is of a clock that has been set since.
	}
	rec.turn(Down, r.seen)
	rec.silent, rec.hasSilent = silent, ok
	rec.transitions++
	e := out.add(t, EventDeath, rec, r)
	e.Latency, e.HasLatency = silent, ok
}

// recover ends an outage.
func (t *tracker) recover(rec *record, r *reading, out *outcome) {
	outage, ok := rec.silent+r.seen.sub(rec.since), rec.hasSilent
	rec.turn(Up, r.seen)
	rec.transitions++
	e := out.add(t, EventRecovery, rec, r)
	if ok && outage >= 0 {
		e.Latency, e.HasLatency = outage, true
	}
}

// add appends an event about a member, as it now is.
func (o *outcome) add(t *tracker, what EventType, rec *record, r *reading) *Event {
	o.events = append(o.events, Event{Time: r.seen.wall, Type: what, Source: t.source, Member: rec.member})
	return &o.events[len(o.events)-1]
}

package tracker

import "time"

// A standing is how a member stood before a poll.
type standing uint8

const (
	unseen      standing = iota // no poll had the member
	undecided                   // no poll had a verdict on it
	alive                       // it was up, or in grace
	dead                        // it was down
	deadByForce                 // it was down, and forced down
)

// A finding is what a poll found of a member.
type finding uint8

const (
	foundUp         finding = iota
	foundForced             // forced down
	foundSilent             // down by the backend's rule, or gone from a backend that does not remember its dead
	foundExcused            // the same, but an outage may be why: see outage.go
	foundUnreadable         // the poll has no verdict
	foundLeft               // gone from a backend that remembers its dead, or gone before there was a verdict
	foundExpired            // gone since it died, for longer than Options.ForgetAfter
)

// decide returns what happened to a member. This switch is the whole decision:
//
//	before \ now   up         forced       silent  excused  unreadable  left   expired
//	unseen         join       join         join    -        join        -      -
//	undecided      -          -            -       -        -           leave  -
//	alive          -          forced_down  death   -        -           leave  -
//	dead           recovery   -            -       -        -           leave  forgotten
//	deadByForce    forced_up  -            -       -        -           leave  forgotten
//
// A first verdict is no event: a member that is dead when it is first seen may have been dead for long.
func decide(before standing, now finding) EventType {
	switch {
	case before == unseen:
		return EventJoin
	case now == foundLeft:
		return EventLeave
	case now == foundExpired:
		return EventForgotten
	case before == alive && now == foundSilent:
		return EventDeath
	case before == alive && now == foundForced:
		return EventForcedDown
	case before == dead && now == foundUp:
		return EventRecovery
	case before == deadByForce && now == foundUp:
		return EventForcedUp
	default:
		return noEvent
	}
}

// observe compares what the poll has of one member with what was known of it. It returns false when the member is to be
// forgotten.
func (t *Tracker) observe(m *Member, changes *Changes) bool {
	before := m.standing()
	t.learn(m, changes)
	now := t.finding(m)
	what := decide(before, now)
	downFor, isKnown := m.downFor(t.now.end)
	t.settle(m, now, changes)
	t.settleSuspicion(m, now, changes)
	if what == EventJoin && !t.polled {
		what = noEvent // The first poll can't tell which members are new.
	}
	if what != noEvent {
		e := Event{Time: t.now.end.Wall, Type: what, Source: t.opts.Source}
		switch what {
		case EventDeath:
			m.noteChange(t.now.end)
			e.Latency, e.HasLatency = m.silent, m.hasSilent
		case EventRecovery:
			m.noteChange(t.now.end)
			e.Latency, e.HasLatency = downFor, isKnown
		case EventLeave:
			e.Outcome = m.outcomeOfLeaving()
		default:
		}
		e.Member = m.Member
		changes.Events = append(changes.Events, e)
	}
	return now != foundLeft && now != foundExpired
}

func (m *Member) standing() standing {
	switch {
	case m.isNew():
		return unseen
	case m.state == Unknown:
		return undecided
	case m.state == Up:
		return alive
	case m.forced():
		return deadByForce
	default:
		return dead
	}
}

// learn takes over what the poll has of a member.
func (t *Tracker) learn(m *Member, changes *Changes) {
	if m.isNew() && m.entry != entryVerdict {
		m.turn(Unknown, t.now.end)
	}
	if m.entry == entryVerdict {
		t.endUnreadable(m)
	} else {
		t.beginUnreadable(m)
	}
	if m.row != nil {
		before, reported := disabledBy(&m.Member), m.report()
		m.update(m.row, t.now.clock)
		m.noteDisabled(before, t.now.end.Wall)
		if m.entry == entryVerdict {
			t.noteBeat(m, reported, changes)
		}
	}
}

func (t *Tracker) finding(m *Member) finding {
	switch {
	case m.entry != entryVerdict:
		return foundUnreadable
	case m.row == nil && (m.Rostered || m.state == Unknown):
		return foundLeft
	case m.row == nil && m.state == Down && t.now.end.Sub(m.Since) >= t.opts.ForgetAfter:
		return foundExpired
	case m.row != nil && m.Up:
		return foundUp
	case m.row != nil && m.forced():
		return foundForced
	case m.state == Up && t.excused(m):
		return foundExcused
	default:
		return foundSilent
	}
}

// settle makes a member what the poll found it to be.
func (t *Tracker) settle(m *Member, now finding, changes *Changes) {
	switch now {
	case foundUp:
		if m.state != Up {
			m.turn(Up, t.now.end)
		}
		m.inGrace, m.outages, m.lastUp = false, 0, t.now.start
	case foundForced:
		if m.state != Down {
			wasUp := m.state == Up
			m.turn(Down, t.now.end)
			m.down = &downTime{since: t.now.end.Wall.Round(0), known: wasUp}
		}
	case foundSilent:
		if m.state != Down {
			silent, ok := t.silence(m)
			m.turn(Down, t.now.end)
			m.silent, m.hasSilent = silent, ok
			m.down = t.downFrom(m, silent, ok)
		} else {
			t.noteHeartbeat(m)
		}
	case foundExcused:
		m.inGrace, m.Up, m.outages = true, false, t.outagesOf(m)
		left, _ := t.grace(m)
		if left = max(left, minRecheck); changes.Recheck == 0 || left < changes.Recheck {
			changes.Recheck = left
		}
	case foundUnreadable, foundLeft, foundExpired:
	}
}

// downFor returns how long a member that is up again was down, from its last proof of life before it died. It is false when
// that is not known.
func (m *Member) downFor(now Instant) (time.Duration, bool) {
	down := m.silent + now.Sub(m.Since)
	if !m.hasSilent || down < 0 {
		return 0, false
	}
	return down, true
}

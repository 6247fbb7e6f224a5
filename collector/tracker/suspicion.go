package tracker

import (
	"math"
	"time"
)

// This file suspects members: it decides that a member's heartbeat is overdue long before the service's own rule calls the
// member dead. It learns each member's own reporting interval from its heartbeats. A member is suspected when it has been silent
// for longer than limitFactor intervals and a margin, unless many members are late at once: see guard.go. A suspicion ends when
// the member reports, is down by the service's own rule, or left. It never changes the state of a member.
//
// The constants are from the traces of a real Nova: see docs/suspicion.md.

const (
	// limitFactor is how many intervals a member may be silent, beside the margin. The heartbeat is due after one; the half
	// gives the guard the time to see that others are late too.
	limitFactor = 1.5
	// gapsNeeded is how many regular gaps show an interval.
	gapsNeeded = 3
	// regularAgain is how many regular gaps a member must have after a suspicion that was refuted, before it can be suspected
	// again: one mistake must not become a series.
	regularAgain = 3
)

// Suspicion is how members are suspected.
type Suspicion struct {
	Enabled bool
	// Margin is how much longer than one and a half of its reporting intervals a member may be silent: at least one second, so
	// that the limit is never below what counts as late.
	Margin time.Duration
}

// The reasons for which a member can't be suspected.
const (
	NotEnabled      = "off"               // the configuration turns suspicion off
	NotUp           = "not_up"            // it is not up by the service's own rule
	NoHeartbeats    = "no_heartbeats"     // its backend keeps none
	Learning        = "learning"          // fewer than 3 gaps between its heartbeats are known
	Irregular       = "irregular"         // its gaps are not regular
	IntervalTooLong = "interval_too_long" // the service's own rule calls it down before its limit ends
	Probation       = "probation"         // it was suspected by mistake, and has not had 3 regular gaps since
	SoleMember      = "sole_member"       // it alone reports in its source: a stall would look the same
)

// NotSuspectedReasons returns all reasons for which a member can't be suspected.
func NotSuspectedReasons() []string {
	return []string{NotEnabled, NotUp, NoHeartbeats, Learning, Irregular, IntervalTooLong, Probation, SoleMember}
}

// beats is what a Tracker knows of a member's heartbeats.
type beats struct {
	// first is when the poll was read that had the newest heartbeat first, and before when the poll before it was: the
	// heartbeat was sent between the two. Both are by this machine's monotonic clock.
	first, before time.Duration
	restored      bool // no poll of this process had the member yet

	gaps      gaps
	interval  time.Duration // between its heartbeats; zero: not regular, or not known
	probation uint8         // how many regular gaps it needs before it can be suspected

	late    bool  // in the last poll: silent for longer than its interval and a tolerance
	waiting uint8 // the guards that make it wait, as bits: see [Tracker.guards]

	suspicion *suspicion // nil: it is not suspected
	decision  *Decision  // that it is in service and suspected; nil: it is not
}

// A suspicion is that a member is suspected.
type suspicion struct {
	since       time.Time // by this machine's wall clock
	silentSince time.Time // its last proof of life, by this machine's wall clock
	// confirmed reports that the service's own rule agrees. The suspicion lasts while an outage of the source excuses the member,
	// so that it is suspected until it is down.
	confirmed bool
}

// A SuspectedMember is since when a member is suspected, and since when it is silent, by this machine's wall clock.
type SuspectedMember struct{ Since, SilentSince time.Time }

// Suspected returns since when the member is suspected. It is false if the member is not.
func (m *Member) Suspected() (SuspectedMember, bool) {
	if m.beats == nil || m.beats.suspicion == nil {
		return SuspectedMember{}, false
	}
	s := m.beats.suspicion
	return SuspectedMember{Since: s.since, SilentSince: s.silentSince}, true
}

// Late reports whether the member was silent for longer than its interval and a tolerance in the last poll, and not suspected.
func (m *Member) Late() bool { return m.beats != nil && m.beats.late }

// LateAt returns when a member that is not late will be, if it does not report until then. It returns false if it never will be.
func (t *Tracker) LateAt(m *Member) (Instant, bool) {
	b := m.beats
	if b == nil || b.interval == 0 || b.late || b.suspicion != nil || m.State() != Up {
		return Instant{}, false
	}
	after := LateAfter(b.interval) - t.silenceOf(m)
	return t.now.start.after(max(after, 0)), true
}

// Interval returns the learned time between the member's heartbeats, zero if it is not regular or not known.
func (m *Member) Interval() time.Duration {
	if m.beats == nil {
		return 0
	}
	return m.beats.interval
}

// NotSuspected returns why a member can't be suspected: one of [NotSuspectedReasons], empty if it can or is.
func (t *Tracker) NotSuspected(m *Member) string {
	b := m.beats
	switch {
	case b != nil && b.suspicion != nil:
		return ""
	case !t.opts.Suspicion.Enabled:
		return NotEnabled
	case b == nil:
		return NoHeartbeats
	case m.State() != Up:
		return NotUp
	case b.interval == 0 && b.gaps.n < gapsNeeded:
		return Learning
	case b.interval == 0:
		return Irregular
	case t.limit(b) >= timeoutOf(&m.Member, t.downTime):
		return IntervalTooLong
	case b.probation > 0:
		return Probation
	case t.known == 1:
		return SoleMember
	default:
		return ""
	}
}

// limit returns for how long a member may be silent before it is suspected.
func (t *Tracker) limit(b *beats) time.Duration { return t.opts.Suspicion.Limit(b.interval) }

// Limit returns for how long a member with a reporting interval may be silent before it is suspected.
func (s Suspicion) Limit(interval time.Duration) time.Duration {
	return time.Duration(limitFactor*float64(interval)) + max(s.Margin, time.Second)
}

// Longest returns for how long a member may have been silent at most when it is suspected, if the source is polled at least every so
// often: a member that was almost late in one poll is seen to be late in the next one.
func (s Suspicion) Longest(interval, every time.Duration) time.Duration {
	return max(s.Limit(interval), LateAfter(interval)+every)
}

// tolerance returns by how much a gap may differ from an interval. Backends round times to whole seconds, which makes a gap wrong by
// up to one second; the rest is for jitter.
func tolerance(interval time.Duration) time.Duration { return time.Second + interval/10 }

// LateAfter returns after which silence a member with a reporting interval is late.
func LateAfter(interval time.Duration) time.Duration { return interval + tolerance(interval) }

// A report is what was known of a member's heartbeats before the poll being observed.
type report struct {
	beat     time.Time
	count    uint64
	hasCount bool
	up       bool
}

func (m *Member) report() report {
	return report{beat: m.LastHeartbeat, count: m.ReportCount, hasCount: m.HasReportCount, up: m.Up}
}

// noteBeat takes in the heartbeat of a member's row.
func (t *Tracker) noteBeat(m *Member, before report, changes *Changes) {
	if m.row.LastHeartbeat.IsZero() || m.LastHeartbeat.IsZero() {
		return
	}
	mono := t.now.end.Mono
	b := m.beats
	if b == nil {
		m.beats = &beats{first: mono, before: mono}
		return
	}
	counted := before.hasCount && m.HasReportCount
	isNew := !before.beat.Equal(m.LastHeartbeat) || counted && before.count != m.ReportCount
	silent := mono - b.before // at most
	if isNew {
		b.first, b.before = mono, t.last.start.Mono
	}
	if b.restored {
		b.first, b.before, b.restored = mono, mono, false
	}
	if !isNew {
		return
	}
	b.waiting = 0
	if s := b.suspicion; s != nil {
		b.suspicion = nil
		if !s.confirmed {
			b.probation = regularAgain
			t.endSuspicion(m, EventRefute, OutcomeRefuted, s, changes)
		}
	}
	n := uint64(1)
	if counted {
		if m.ReportCount <= before.count {
			return
		}
		n = m.ReportCount - before.count
	}
	if gap := m.LastHeartbeat.Sub(before.beat); gap >= 0 && before.up {
		interval := b.interval
		if t.hasReturned(m, n, min(gap, silent)) && (counted || mono-t.last.start.Mono < interval) {
			t.returned++
		}
		b.learn(gap/time.Duration(min(n, math.MaxInt64)), n)
		t.intervalsChanged = t.intervalsChanged || b.interval != interval
	}
}

// hasReturned reports whether a member that was late has reported just now, by n heartbeats after a gap.
func (t *Tracker) hasReturned(m *Member, n uint64, gap time.Duration) bool {
	interval := m.beats.interval
	return interval > 0 && t.now.clock.Sub(m.LastHeartbeat) <= justNow &&
		gap.Seconds() > float64(n)*interval.Seconds()+tolerance(interval).Seconds()
}

// learn takes in n gaps of the same length.
func (b *beats) learn(gap time.Duration, n uint64) {
	b.gaps.add(gap, n)
	median := b.gaps.median()
	if newest, ok := b.gaps.newInterval(median); ok {
		b.gaps.keepNewest(gapsNeeded)
		median = newest
	}
	b.interval = b.gaps.interval(median)
	switch regular := (gap - median).Abs() <= tolerance(median); {
	case b.probation == 0:
	case !regular:
		b.probation = regularAgain
	default:
		b.probation -= uint8(min(n, uint64(b.probation)))
	}
}

// silenceOf returns for how long a member has not reported: the age of its heartbeat by the backend's clock, within what this
// program's own polls prove. So neither a clock that was set nor a gap in the polls is the silence of a member.
func (t *Tracker) silenceOf(m *Member) time.Duration {
	mono := t.now.start.Mono
	return min(max(t.now.clock.Sub(m.LastHeartbeat), mono-m.beats.first), mono-m.beats.before)
}

// noteLate counts a member that reports regularly, and notes that it is late. It is called while the member has its row.
func (t *Tracker) noteLate(m *Member) {
	b := m.beats
	if b == nil {
		return
	}
	b.late = false
	if b.interval == 0 || b.suspicion != nil || m.row == nil || m.entry != entryVerdict ||
		t.now.clock.Sub(m.LastHeartbeat) > timeoutOf(&m.Member, t.poll.DownTime) {
		return
	}
	t.known++
	if t.shortest == 0 || b.interval < t.shortest {
		t.shortest = b.interval
	}
	if t.silenceOf(m) > LateAfter(b.interval) {
		b.late = true
		t.late = append(t.late, m)
	}
}

// suspect suspects the late members whose limits have ended, and says when the next limit ends.
func (t *Tracker) suspect(changes *Changes) {
	mono := t.now.start.Mono
	guards := t.askGuards(mono)
	for _, m := range t.late {
		b := m.beats
		from, guarded := b.waits(guards, mono)
		limit := t.limit(b)
		if guarded || !t.opts.Suspicion.Enabled || b.probation > 0 || m.State() != Up || limit >= timeoutOf(&m.Member, t.poll.DownTime) {
			continue
		}
		silent := t.silenceOf(m)
		if ends := max(mono+limit-silent, from); ends >= mono {
			if at := t.now.start.after(ends - mono); changes.PollAt.IsZero() || at.Sub(changes.PollAt) < 0 {
				changes.PollAt = at
			}
			continue
		}
		silent += t.now.end.Sub(t.now.start)
		now := t.now.end.Wall.Round(0)
		b.suspicion, b.late = &suspicion{since: now, silentSince: now.Add(-silent)}, false
		t.decideSuspected(m, true, t.now.end)
		changes.Events = append(changes.Events, Event{
			Time: t.now.end.Wall, Type: EventSuspect, Source: t.opts.Source, Member: m.Member, Latency: silent, HasLatency: true,
		})
	}
	clear(t.late)
	t.late = t.late[:0]
}

// settleSuspicion ends the suspicion of a member that is down by the service's own rule, or of which a confirmed suspicion is over.
func (t *Tracker) settleSuspicion(m *Member, now finding, changes *Changes) {
	if m.beats == nil || m.beats.suspicion == nil || now == foundUnreadable || now == foundLeft {
		return
	}
	s := m.beats.suspicion
	if now == foundUp {
		if s.confirmed {
			m.beats.suspicion = nil
		}
		return
	}
	if !s.confirmed {
		s.confirmed = true
		t.endSuspicion(m, EventConfirm, OutcomeConfirmed, s, changes)
	}
	if now != foundExcused {
		m.beats.suspicion = nil
	}
}

// outcomeOfLeaving returns how the suspicion of a member that left has ended, empty if there was none.
func (m *Member) outcomeOfLeaving() Outcome {
	if m.beats == nil || m.beats.suspicion == nil || m.beats.suspicion.confirmed {
		return ""
	}
	return OutcomeLeft
}

// endSuspicion reports the end of a suspicion.
func (t *Tracker) endSuspicion(m *Member, what EventType, outcome Outcome, s *suspicion, changes *Changes) {
	silent := t.now.end.Wall.Round(0).Sub(s.silentSince)
	changes.Events = append(changes.Events, Event{
		Time: t.now.end.Wall, Type: what, Source: t.opts.Source, Member: m.Member,
		Latency: max(silent, 0), HasLatency: silent >= 0, Outcome: outcome,
	})
}

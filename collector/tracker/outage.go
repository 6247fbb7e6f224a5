package tracker

import (
	"cmp"
	"slices"
	"time"
)

// An outage of a backend is not the death of its members. While the source could not be read its members may not have been
// able to write either, so that time does not count against them. A member that was up before and looks dead after is in
// grace, neither up nor down, until it has been silent for its full heartbeat timeout, not counting the outages. After
// that the usual rule decides. A time in which this program did not run is not an outage.
//
// Setting a clock is not the death of members either. When the clock that ages are taken from has advanced by more or less
// than the time that has passed, no age means anything until the members have written by the new time. The step counts as
// an outage that took as long as the clock says.

// maxOutages is how many outages in a row excuse a member. Without it, a source that fails now and then would hide every
// death. Between the outages the member had chances to report.
const maxOutages = 3

// minRecheck bounds how soon a member in grace is looked at again.
const minRecheck = 50 * time.Millisecond

// minStep is the smallest step of a clock that counts as setting it. Time daemons that make a clock run faster or slower
// for a while move it by less between two polls.
const minStep = time.Second

// An outage is a time between two polls that could be read, in which the source, or one member, could not be read.
type outage struct {
	from, to time.Time // by the backend's clock, or by this machine's where the backend has none
	ended    Instant
}

// outages are in the order of time.
type outages []outage

// clockWasSet reports whether the clock that ages are taken from was set since the last successful poll. Either poll
// read the clock at some time between its start and its end.
func (t *Tracker) clockWasSet() bool {
	if t.poll.Now.IsZero() && t.newest.IsZero() {
		return false // There are no ages.
	}
	advanced := t.now.clock.Sub(t.last.clock)
	return advanced > t.now.end.Sub(t.last.start)+minStep || advanced < t.now.start.Sub(t.last.end)-minStep
}

// clockWasSetAfter reports whether the clock that ages are taken from was seen to be set after an instant.
func (t *Tracker) clockWasSetAfter(i Instant) bool {
	return !t.clockSet.IsZero() && t.clockSet.Sub(i) > 0
}

// noteOutage notes that an outage ends with this poll, if earlier polls failed or a clock was set.
func (t *Tracker) noteOutage() {
	set := t.polled && t.clockWasSet()
	t.outageEnds = t.polled && (t.failed || set)
	if set {
		t.clockSet = t.now.end
	}
	if !t.outageEnds {
		return
	}
	t.outageEnded = t.now.end
	o := outage{from: t.last.clock, to: t.now.clock, ended: t.now.end}
	if n := len(t.outages); n > 0 && !t.outages[n-1].to.Before(o.from) {
		t.outages[n-1].to, t.outages[n-1].ended = o.to, o.ended
		return
	}
	t.outages = append(t.outages, o)
}

// beginUnreadable notes that a poll has a member but no verdict on it. Such a time is an outage of this member alone.
func (t *Tracker) beginUnreadable(m *Member) {
	if m.unreadable == entryVerdict {
		m.unreadableSince = t.now.clock
		if t.polled {
			m.unreadableSince = t.last.clock
		}
	}
	m.unreadable = m.entry
}

// endUnreadable ends the time in which polls had no verdict on a member, and drops times that are too old to excuse it.
func (t *Tracker) endUnreadable(m *Member) {
	if m.unreadable != entryVerdict {
		m.unreadableSpans = append(m.unreadableSpans, outage{from: m.unreadableSince, to: t.now.clock, ended: t.now.end})
		m.unreadable, m.unreadableSince = entryVerdict, time.Time{}
		m.outages++
	}
	if n := len(m.unreadableSpans); n > 0 && !m.inGrace &&
		t.now.end.Sub(m.unreadableSpans[n-1].ended) > max(t.poll.DownTime, m.SessionTimeout) {
		m.unreadableSpans = nil
	}
}

// excused reports whether outages may be the reason for a member's silence.
func (t *Tracker) excused(m *Member) bool {
	_, excused := t.grace(m)
	return excused && t.outagesOf(m) <= maxOutages
}

// outagesOf returns how many outages have ended since a member was last up.
func (t *Tracker) outagesOf(m *Member) int {
	if t.outageEnds {
		return m.outages + 1
	}
	return m.outages
}

// grace returns whether outages may be the reason for a member's silence, and for how much longer. A recorded death is not
// excused: the agent that recorded it saw the member die.
func (t *Tracker) grace(m *Member) (left time.Duration, excused bool) {
	all := t.outages
	if len(m.unreadableSpans) > 0 {
		all = slices.Concat(all, m.unreadableSpans)
	}
	if len(all) == 0 || m.row != nil && !m.row.Died.IsZero() {
		return 0, false
	}
	if !m.heartbeat.IsZero() && !m.heartbeat.After(t.now.clock) {
		excuse := all.overlap(m.heartbeat, t.now.clock)
		left = t.poll.DownTime - (t.now.clock.Sub(m.heartbeat) - excuse)
		return left, excuse > 0 && left >= 0
	}
	left = timeoutOf(&m.Member, t.poll.DownTime) - t.now.end.Sub(all.ended())
	return left, left > 0
}

// overlap returns how much of the time between two instants is in outages. An outage that is not over by then is from before
// the clock was set back, and does not count.
func (all outages) overlap(from, to time.Time) time.Duration {
	var sum time.Duration
	for _, o := range slices.SortedFunc(slices.Values(all), func(a, b outage) int { return a.from.Compare(b.from) }) {
		if o.from.After(from) {
			from = o.from
		}
		if !o.to.After(to) && o.to.After(from) {
			sum += o.to.Sub(from)
			from = o.to
		}
	}
	return sum
}

// ended returns when the last outage ended.
func (all outages) ended() Instant {
	return slices.MaxFunc(all, func(a, b outage) int { return cmp.Compare(a.ended.Mono, b.ended.Mono) }).ended
}

// dropOldOutages drops the outages that can no longer excuse any member.
func (t *Tracker) dropOldOutages() {
	if len(t.outages) == 0 {
		return
	}
	longest, oldest := t.poll.DownTime, t.now.clock
	for _, m := range t.order {
		longest = max(longest, m.SessionTimeout)
		if m.inGrace && !m.heartbeat.IsZero() && m.heartbeat.Before(oldest) {
			oldest = m.heartbeat
		}
	}
	t.outages = slices.DeleteFunc(t.outages, func(o outage) bool {
		return t.now.end.Sub(o.ended) > longest && (!o.to.After(oldest) || o.to.After(t.now.clock))
	})
}

package collector

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// No member dies of an outage of its backend. While the source could not be read its members may not have been able to
// write either, so that time does not count against them: a member that was up before and looks dead after is held,
// neither up nor down, until it has been silent for its full down time outside of the outages. Then it is judged as
// ever. An exporter that was down itself is no outage.
//
// Nor does a member die of a clock that somebody sets. When the clock that ages are taken from has gone on by more or less
// than time did, no age means anything until the members have written by the new time: the step is an outage that took as
// long as the clock says.

// maxOutages is how many outages in a row excuse a member. A source that fails every now and then, for ever, would else
// hide every death; between the outages there were chances to be heard.
const maxOutages = 3

// minRecheck bounds how soon a held member is looked at again.
const minRecheck = 50 * time.Millisecond

// A gap is a time between two successful polls in which the source could not be read.
type gap struct {
	from, to time.Time // by the backend's clock, or by this machine's where it has none
	ended    instant
}

// gaps are in the order of time.
type gaps []gap

// minStep is by how much a clock has to jump to have been set. What makes a clock only run faster or slower for a while,
// as time daemons do, moves it by less between two polls.
const minStep = time.Second

// stepped says whether the clock that ages are taken from was set since the last successful poll. It was read at some time
// within either poll.
func (t *tracker) stepped(r *reading) bool {
	if r.Now.IsZero() && t.newest.IsZero() {
		return false // There are no ages.
	}
	went := r.now.Sub(t.lastNow)
	return went > r.seen.sub(t.last)+minStep || went < r.start.sub(t.lastSeen)-minStep
}

// noteGap opens and ends a gap when polls failed before this reading, or a clock was set.
func (t *tracker) noteGap(r *reading) {
	stepped := t.known && t.stepped(r)
	t.gapped = t.known && (t.failing || stepped)
	if stepped {
		t.set = r.seen
	}
	if !t.gapped {
		return
	}
	g := gap{from: t.lastNow, to: r.now, ended: r.seen}
	if n := len(t.gaps); n > 0 && !t.gaps[n-1].to.Before(g.from) {
		t.gaps[n-1].to, t.gaps[n-1].ended = g.to, g.ended
		return
	}
	t.gaps = append(t.gaps, g)
}

// lose notes that a poll could say nothing of a member, only that it is there. Such a time is a gap of its own.
func (t *tracker) lose(rec *record, r *reading) {
	if rec.blind == entryNone {
		rec.blindFrom = r.now
		if t.known {
			rec.blindFrom = t.lastNow
		}
	}
	rec.blind = rec.entry
	if rec.row != nil {
		rec.update(rec.row, r.now)
	}
}

// find ends the time in which polls could say nothing of a member, and drops what can't excuse it any more.
func (r *record) find(now *reading) {
	if r.blind != entryNone {
		r.gaps = append(r.gaps, gap{from: r.blindFrom, to: now.now, ended: now.seen})
		r.blind, r.blindFrom = entryNone, time.Time{}
		r.outages++
	}
	if n := len(r.gaps); n > 0 && !r.held &&
		now.seen.sub(r.gaps[n-1].ended) > max(now.DownTime, r.member.SessionTimeout) {
		r.gaps = nil
	}
}

// overlap is how much of the time between two instants is in gaps. A gap that is not over by then is from before the clock
// was set back, and says nothing.
func (g gaps) overlap(from, to time.Time) time.Duration {
	var sum time.Duration
	for _, gap := range slices.SortedFunc(slices.Values(g), func(a, b gap) int { return a.from.Compare(b.from) }) {
		if gap.from.After(from) {
			from = gap.from
		}
		if !gap.to.After(to) && gap.to.After(from) {
			sum += gap.to.Sub(from)
			from = gap.to
		}
	}
	return sum
}

// ended is when the last gap ended.
func (g gaps) ended() instant {
	return slices.MaxFunc(g, func(a, b gap) int { return cmp.Compare(a.ended.mono, b.ended.mono) }).ended
}

// excuse tells whether a member's silence may be due to gaps, and for how much longer that can be said. Whoever
// recorded a death knew better.
func (t *tracker) excuse(rec *record, row *drivers.Member, r *reading) (time.Duration, bool) {
	g := t.gaps
	if len(rec.gaps) > 0 {
		g = slices.Concat(g, rec.gaps)
	}
	if len(g) == 0 || row != nil && !row.Died.IsZero() {
		return 0, false
	}
	if hb := rec.heartbeat; !hb.IsZero() && !hb.After(r.now) {
		excused := g.overlap(hb, r.now)
		rest := r.DownTime - (r.now.Sub(hb) - excused)
		return rest, excused > 0 && rest >= 0
	}
	rest := sessionTimeout(&rec.member, r.Poll) - r.seen.sub(g.ended())
	return rest, rest > 0
}

// prune drops the gaps that can't excuse anybody any more.
func (g gaps) prune(t *tracker, r *reading) gaps {
	if len(g) == 0 {
		return nil
	}
	longest, oldest := r.DownTime, r.now
	for _, rec := range t.order {
		longest = max(longest, rec.member.SessionTimeout)
		if rec.held && !rec.heartbeat.IsZero() && rec.heartbeat.Before(oldest) {
			oldest = rec.heartbeat
		}
	}
	return slices.DeleteFunc(g, func(gap gap) bool {
		return r.seen.sub(gap.ended) > longest && (!gap.to.After(oldest) || gap.to.After(r.now))
	})
}

package main

import (
	"slices"
	"time"
)

// A schedule says when the table is polled.
type schedule struct {
	interval, phase time.Duration
	extra           bool // also when the detector wants it
}

// timerLag is how much later than wanted an extra poll is: a timer never fires early.
const timerLag = time.Millisecond

// schedules returns polls at an interval, at several phases.
func schedules(interval time.Duration, phases int, extra bool) []schedule {
	all := make([]schedule, phases)
	for i := range all {
		all[i] = schedule{interval, interval * time.Duration(i) / time.Duration(phases), extra}
	}
	return all
}

// An episode is a time from a suspicion of a member to its next heartbeat.
type episode struct {
	member   int
	from     time.Duration
	down     bool // the member was down by Nova's own rule before it reported, also between two polls
	reported bool // it ended by a heartbeat
}

// A replay is what a detector made of a trace.
type replay struct {
	episodes []episode
	// noticed has when each member became suspected, or down by the service's own rule, by member.
	noticed [][]notice
}

// A notice is that a member became suspected, or down by the service's own rule.
type notice struct {
	at      time.Duration
	suspect bool // it was not down yet
}

// A run is one replay of a trace.
type run struct {
	*trace
	during   span
	schedule schedule
	timeout  time.Duration // of Nova's rule
	kills    []kill        // of members that report no more, beside the kills of the trace
}

// silenced returns the reports of the run, without what killed members would have sent, and others on their hosts.
func (r *run) silenced() []report {
	if len(r.kills) == 0 {
		return r.reports
	}
	return slices.DeleteFunc(slices.Clone(r.reports), func(rep report) bool {
		return slices.ContainsFunc(r.kills, func(k kill) bool { return r.members[k.member].host == r.members[rep.member].host && rep.at > k.at })
	})
}

// replay shows a detector the run's polls.
func (r *run) replay(d detector) *replay {
	reports := r.silenced()
	w := &watcher{
		replay: &replay{noticed: make([][]notice, len(r.members))},
		state:  make([]watched, len(r.members)), suspected: make([]bool, len(r.members)), downs: r.downs(),
	}
	p := &poll{rows: make([]row, len(r.members))}
	for i := range p.rows {
		p.rows[i].beat = never
	}
	rows := p.rows
	next, wanted := r.during.from+r.schedule.phase, time.Duration(0)
	for {
		if r.schedule.extra && wanted > p.at && wanted+timerLag < next {
			p.at = wanted + timerLag
		} else {
			p.at = next
			next += r.schedule.interval
		}
		if p.at >= r.during.to {
			return w.replay
		}
		for len(reports) > 0 && reports[0].at <= p.at {
			rows[reports[0].member] = reports[0].row
			reports = reports[1:]
		}
		p.rows, p.failed = rows, slices.ContainsFunc(r.failures, func(s span) bool { return s.contains(p.at) })
		if p.failed {
			p.rows = nil
		}
		wanted = d.observe(p, w.suspected)
		w.observe(p, r.timeout)
	}
}

// downs returns when each member was down by Nova's own rule.
func (r *run) downs() [][]span {
	all, last := make([][]span, len(r.members)), make([]time.Duration, len(r.members))
	for i := range last {
		last[i] = never
	}
	for _, rep := range r.reports {
		m := rep.member
		if down := last[m] + r.timeout; last[m] != never && rep.at > down {
			all[m] = append(all[m], span{down, rep.at})
		}
		last[m] = rep.beat
	}
	return all
}

// A watcher notes which members a detector suspects.
type watcher struct {
	*replay
	state     []watched
	suspected []bool
	downs     [][]span
}

type watched struct {
	row
	suspected, down bool
	episode         *episode // under way
}

func (w *watcher) observe(p *poll, timeout time.Duration) {
	for i, r := range p.rows {
		s := &w.state[i]
		suspected, down := w.suspected[i], r.isDown(p.at, timeout)
		if suspected && !s.suspected || down && !s.down {
			w.noticed[i] = append(w.noticed[i], notice{p.at, !down})
		}
		if s.episode != nil && r != s.row {
			s.episode.reported = true
			s.episode.down = slices.ContainsFunc(w.downs[i], func(d span) bool { return d.from > s.beat && d.from < p.at })
			w.episodes = append(w.episodes, *s.episode)
			s.episode = nil
		}
		if s.episode == nil && suspected && !(s.suspected && r == s.row) {
			s.episode = &episode{member: i, from: p.at}
		}
		s.row, s.suspected, s.down = r, suspected, down
	}
}

// detection returns how long after a kill the member was suspected, or down by Nova's rule. Who was suspected before counts from
// the next time.
func (r *replay) detection(k kill) (time.Duration, bool) {
	n, noticed := r.notice(k)
	return n.at - k.at, noticed
}

// notice returns the first notice of a member after a kill.
func (r *replay) notice(k kill) (notice, bool) {
	for _, n := range r.noticed[k.member] {
		if n.at >= k.at {
			return n, true
		}
	}
	return notice{at: k.at}, false
}

// mistakes returns the suspicions of members that lived and reported again. The second result counts the members that Nova's own
// rule called down, too. They are not in the first one.
func (r *replay) mistakes(deaths []kill) (wrong []episode, withNova int) {
	for _, e := range r.episodes {
		dead := slices.ContainsFunc(deaths, func(k kill) bool { return k.member == e.member && k.at <= e.from && e.from < k.until })
		switch {
		case dead || !e.reported:
		case e.down:
			withNova++
		default:
			wrong = append(wrong, e)
		}
	}
	return wrong, withNova
}

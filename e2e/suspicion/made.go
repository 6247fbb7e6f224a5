package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A disturbance is what happens to the members of a made source.
type disturbance string

// The disturbances.
const (
	allStalled   disturbance = "all stalled"     // a stall delays the heartbeats of all members
	thirdStalled disturbance = "a third stalled" // a stall delays the heartbeats of a third of them
	restarted    disturbance = "restart"         // a member is stopped and started again
	died         disturbance = "death"           // a member dies while nothing else happens
	diedStalled  disturbance = "death in a stall"
	nothing      disturbance = "nothing"
)

// A rhythm is how often the members of a service report, and when it calls one down.
type rhythm struct{ interval, timeout time.Duration }

// rhythms returns Nova's, at several report intervals, and at last Neutron's and Heat's.
func rhythms() []rhythm {
	return []rhythm{
		{2 * time.Second, downTime},
		{5 * time.Second, downTime},
		{usual, downTime},
		{20 * time.Second, downTime},
		{30 * time.Second, 75 * time.Second},
		{60 * time.Second, 120 * time.Second},
	}
}

// sizes returns how many members sources have.
func sizes() []int { return []int{2, 3, 5, 12, 40} }

// A scenario is one run of a made source.
type scenario struct {
	rhythm
	size  int
	what  disturbance
	stall time.Duration // how long the stall lasts
	polls schedule
}

// draw draws a scenario.
func draw(random *rand.Rand) scenario {
	s := scenario{rhythm: pick(random, rhythms()), size: pick(random, sizes())}
	s.what = pick(random, []disturbance{allStalled, allStalled, thirdStalled, restarted, died, diedStalled})
	s.stall = between(random, 5*time.Second, 55*time.Second)
	s.polls = schedule{interval: pick(random, []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}), extra: random.IntN(2) == 0}
	s.polls.phase = between(random, 0, s.polls.interval)
	return s
}

func pick[T any](random *rand.Rand, all []T) T { return all[random.IntN(len(all))] }

func between(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Float64()*float64(to-from))
}

// A made is a made source, whose members report at random phases.
type made struct {
	scenario
	*trace
	begin time.Duration // of the disturbance
	kills []kill
}

// The time before the disturbance and after it.
const (
	historyOf    = 6 // intervals
	leastHistory = time.Minute
	afterOf      = 4 // intervals
)

// makeTrace makes the heartbeats of a scenario.
func makeTrace(random *rand.Rand, s scenario) *made {
	m := &made{scenario: s, trace: &trace{}}
	m.begin = max(historyOf*s.interval, leastHistory) + between(random, 0, s.interval)
	m.end = m.begin + s.stall + s.timeout + afterOf*s.interval
	stalled, silent := m.stalled(), span{}
	switch s.what {
	case restarted:
		silent = m.restart(random)
	case died:
		m.kills = []kill{{member: 0, at: m.begin, until: m.end}}
	case diedStalled:
		m.kills = []kill{{member: 0, at: between(random, m.begin, m.begin+s.stall), until: m.end}}
	default:
	}
	for i := range s.size {
		m.members = append(m.members, member{host: fmt.Sprintf("host-%02d", i), binary: "nova-compute", interval: s.interval})
		last := m.end
		for _, k := range m.kills {
			if k.member == i {
				last = k.at
			}
		}
		away := span{}
		if i == 0 {
			away = silent
		}
		m.report(random, i, i < stalled, away, last)
	}
	m.sortReports()
	return m
}

// stalled returns the number of members whose heartbeats a stall delays.
func (m *made) stalled() int {
	switch m.what {
	case allStalled, diedStalled:
		return m.size
	case thirdStalled:
		return (m.size + 2) / 3
	default:
		return 0
	}
}

// restart returns for how long a member that is restarted reports nothing. The bounds are as in the recorded restarts: a process
// that is told to stop reports up to 2.3 s before its end, and first reports 9.6 to 13.3 s after its start.
func (m *made) restart(random *rand.Rand) span {
	ended := m.begin + between(random, 1600*time.Millisecond, 10400*time.Millisecond)
	return span{ended - between(random, 0, 2300*time.Millisecond), ended + between(random, 9600*time.Millisecond, 13300*time.Millisecond)}
}

// report adds the heartbeats of one member. A heartbeat in a stall is stored at the end of the stall, and the
// next ones follow from there, as Nova's do.
func (m *made) report(random *rand.Rand, i int, inStall bool, away span, last time.Duration) {
	stall := span{m.begin, m.begin + m.stall}
	count := uint64(random.IntN(1000))
	for at := between(random, 0, m.interval); at < m.end; at += m.interval + between(random, -20*time.Millisecond, 20*time.Millisecond) {
		if at > last {
			return
		}
		if away.contains(at) {
			at = away.to
		}
		if inStall && stall.contains(at) {
			at = stall.to + between(random, 0, time.Second/2)
			if last < stall.to && random.IntN(2) == 0 {
				return // It was lost with its sender.
			}
		}
		count++
		m.reports = append(m.reports, report{at, i, row{count, at.Truncate(time.Second)}})
	}
}

// score replays a made source. It returns the number of mistakes, and how long after its death a member was noticed.
func (m *made) score(d detector) (mistakes int, took time.Duration) {
	r := &run{trace: m.trace, during: span{0, m.end}, schedule: m.polls, timeout: m.timeout}
	all := r.replay(d)
	wrong, _ := all.mistakes(m.kills)
	for _, k := range m.kills {
		took, _ = all.detection(k)
	}
	return len(wrong), took
}

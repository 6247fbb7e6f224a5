package main

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The program suspects no living member of the real Nova, and knows of a death in less than half of service_down_time.
func TestTargets(t *testing.T) {
	e := newEvaluation(recording(t), usualLead, 60)
	for _, test := range []struct {
		table
		extra  bool
		median time.Duration
	}{
		{table{time.Second, 3}, false, 22 * time.Second},
		{table{time.Second, 3}, true, 22 * time.Second},
		{table{5 * time.Second, 10}, false, 24 * time.Second},
		{table{5 * time.Second, 10}, true, 24 * time.Second},
		{table{15 * time.Second, 7}, false, 28 * time.Second},
		{table{15 * time.Second, 7}, true, 24 * time.Second},
	} {
		s := e.score(ownContender(), schedules(test.interval, test.phases, test.extra))
		require.Empty(t, s.segments, "mistakes, polls every %s, extra polls: %v", test.interval, test.extra)
		require.Zero(t, s.mistakes)
		require.LessOrEqual(t, median(s.recorded), test.median, "polls every %s, extra polls: %v", test.interval, test.extra)
		require.LessOrEqual(t, median(s.putIn), test.median, "polls every %s, extra polls: %v", test.interval, test.extra)
	}
}

// Each part of the recording, with the two minutes before it, is like a cloud whose exporter has just begun.
func TestNoMistakesInParts(t *testing.T) {
	tr := recording(t)
	for _, name := range tr.segments() {
		for _, interval := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second} {
			for _, extra := range []bool{false, true} {
				for _, s := range schedules(interval, 2, extra) {
					part := tr.during(name)
					r := &run{trace: tr, during: span{max(part.from-stallLeadIn, tr.reports[0].at), part.to}, schedule: s, timeout: downTime}
					wrong, _ := r.replay(newProgram(tr.members, downTime)).mistakes(tr.deaths())
					require.Empty(t, wrong, "%s, polls every %s from %s on, extra polls: %v", name, s.interval, s.phase, extra)
				}
			}
		}
	}
}

// A member that dies in a stall is known later, by at most the time of the stall and of the wait after it.
func TestDelays(t *testing.T) {
	e := newEvaluation(recording(t), usualLead, 60)
	polls := schedules(time.Second, 3, false)
	for _, s := range e.stalls() {
		require.Zero(t, e.mistakesIn(ownContender(), s, polls), s.name)
		delays := e.delays(ownContender(), s, 20)
		longest := s.during.to - s.during.from + 27*time.Second
		require.LessOrEqual(t, quantile(delays, 1), longest, s.name)
	}
}

// A host is down when its compute is suspected and its agent late, or the reverse, however rarely it is polled. No restart of a compute alone,
// and no stall, is the death of a host.
func TestHosts(t *testing.T) {
	e := newEvaluation(recording(t).withAgents(rand.New(rand.NewPCG(seed, 2))), agentLead, 60)
	for _, every := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second} {
		s := e.score(hostContender(), schedules(every, 3, true))
		require.Zero(t, s.mistakes+s.withNova, "polls every %s", every)
		require.LessOrEqual(t, median(s.recorded), 25*time.Second, "polls every %s", every)
		require.LessOrEqual(t, quantile(s.recorded, 1), 35*time.Second, "polls every %s", every)
		require.LessOrEqual(t, median(s.putIn), 25*time.Second, "polls every %s", every)
		require.LessOrEqual(t, quantile(s.putIn, 1), 35*time.Second, "polls every %s", every)
	}
}

var runs = flag.Int("runs", 400, "made sources") //nolint:gochecknoglobals // A flag of go test.

// The detector was fitted to the recording. It is as good with heartbeats that it was not fitted to.
func TestMade(t *testing.T) {
	made := tallyUp(*runs)
	made.print(t.Output())
	require.Empty(t, made.slow, "deaths that were noticed later than the rule says")
	for _, r := range rhythms() {
		for _, c := range columns() {
			count := made.count(r, c)
			expected := bound(r, c) * float64(count.runs)
			require.LessOrEqual(t, float64(count.mistakes), expected+3*math.Sqrt(expected)+1, "%v, %v: %d runs", r, c, count.runs)
		}
	}
}

// bound returns how many mistakes there may be in each run, in the mean of many.
func bound(r rhythm, c column) float64 {
	small := c.sizes[0] == sizes()[0]
	switch {
	case c.what == restarted:
		return restartBound(r)
	case c.what == thirdStalled && small:
		return 2 // The members that a stall takes from a small source look dead.
	case c.what == thirdStalled && r.interval > 20*time.Second:
		return 0.5 // When the first member reaches its limit, too few of the others are late.
	case c.what == thirdStalled && r.interval == 20*time.Second:
		return 0.04 // As above.
	case c.what == allStalled && small && r.interval > 20*time.Second:
		return 0.2
	case c.what == allStalled && small && r.interval == 20*time.Second:
		return 0.01
	default:
		return 0
	}
}

// restartBound returns how many restarts take longer than the limit. A member that reports often is silent for little less than
// from 9.6 s to 26 s, as in the recording, and its limit is short.
func restartBound(r rhythm) float64 {
	switch r.interval {
	case 2 * time.Second:
		return 0.5
	case 5 * time.Second:
		return 0.2
	default:
		return 0.01
	}
}

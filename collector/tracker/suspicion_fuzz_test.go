package tracker

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// FuzzSuspicion turns any bytes into a history of members that send heartbeats, die, change their interval and are delayed, in a source
// that can't be read at times and whose clock is set, watched by an exporter that restarts. No suspicion comes from a source that can't be
// read, none without three regular gaps, each has exactly one outcome, and no state is another one because of it.
func FuzzSuspicion(f *testing.F) {
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x07\x00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x06\x00aaaaaaaaaaaaaa\x06\x00aaaaaaaaaaaaaaaaaaaa\x07\x01aaaaaaaaaaaaaaaaaaaa"))
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 18))
		script := make([]byte, 600)
		for i := range script {
			script[i] = byte(random.Uint32())
			if i%2 == 0 && random.IntN(10) > 0 {
				script[i] = byte(random.IntN(6)) // polls, mostly
			}
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		s := newSimulation(t)
		for script = script[:min(len(script), 1000)]; len(script) >= 2; script = script[2:] {
			s.do(script[0]%16, script[1])
		}
	})
}

// A simulation is a source with members, and two exporters that watch it: one suspects members, the other one does not.
type simulation struct {
	t        *testing.T
	at       time.Duration
	step     time.Duration // how much the backend's clock is off
	members  []*simulated
	stalled  bool
	failed   bool // the last poll
	tracker  *Tracker
	plain    *Tracker
	open     map[string]bool // the members that are suspected
	suspects int
	polls    int
}

type simulated struct {
	name           string
	interval, next time.Duration
	dead, gone     bool
	forced         bool
	counts         bool
	count          uint64
	beat           time.Time
	pending        bool // it has sent a heartbeat that is delayed
}

func newSimulation(t *testing.T) *simulation {
	s := &simulation{t: t, tracker: newSuspicious(), plain: newTracker(24 * hour), open: make(map[string]bool)}
	for i, interval := range []time.Duration{5 * sec, 10 * sec, 10 * sec, 20 * sec} {
		s.members = append(s.members, &simulated{name: string('a' + rune(i)), interval: interval, next: time.Duration(i) * sec, counts: i%2 == 0})
	}
	return s
}

func (s *simulation) now() Instant { return Instant{Wall: t0.Add(s.at), Mono: s.at} }

func (s *simulation) do(what, how byte) {
	m := s.members[how%4]
	switch what {
	case 6:
		s.stalled = !s.stalled
	case 7:
		m.dead = !m.dead
		m.next = s.at + time.Duration(how>>2)*sec
	case 8:
		m.interval = time.Duration(how>>2)*sec + sec
	case 9:
		s.advance(how)
		s.tracker.ObserveFailure()
		s.plain.ObserveFailure()
		s.failed = true
	case 10:
		s.step += time.Duration(int8(how)) * sec
	case 11:
		if s.tracker.Polled() {
			s.tracker, s.plain = restarted(s.t, s.tracker, s.now()), restarted(s.t, s.plain, s.now())
		}
	case 12:
		s.tracker, s.plain, s.open = newSuspicious(), newTracker(24*hour), make(map[string]bool)
	case 13:
		m.gone = !m.gone
	case 14:
		m.forced = !m.forced
	case 15:
		m.count, m.counts = 0, how&4 == 0
	default:
		s.advance(how)
		s.poll()
	}
}

// advance lets time pass, in which members send heartbeats.
func (s *simulation) advance(how byte) {
	end := s.at + time.Duration(how%8+1)*sec
	for ; s.at < end; s.at += sec {
		for _, m := range s.members {
			if !m.dead && s.at >= m.next {
				m.pending, m.next = true, s.at+m.interval
				m.count++
			}
			if m.pending && !s.stalled {
				m.pending, m.beat = false, t0.Add(s.at+s.step)
			}
		}
	}
}

func (s *simulation) poll() {
	poll := &drivers.Poll{Now: t0.Add(s.at + s.step), DownTime: mins}
	for _, m := range s.members {
		if m.gone || m.beat.IsZero() {
			continue
		}
		row := drivers.Member{Group: "g", Name: m.name, Rostered: true, LastHeartbeat: m.beat, ForcedDown: drivers.FlagOf(m.forced)}
		if m.counts {
			row.ReportCount, row.HasReportCount = m.count, true
		}
		row.Up = !m.forced && poll.Now.Sub(m.beat).Abs() <= poll.DownTime
		poll.Members = append(poll.Members, row)
	}
	other := *poll
	out, without := s.tracker.Observe(poll, s.now(), s.now()), s.plain.Observe(&other, s.now(), s.now())
	if s.polls++; s.polls%8 == 0 {
		requireSound(s.t, s.tracker)
	}
	s.check(&out, &without)
	s.failed = false
}

func (s *simulation) check(out, without *Changes) {
	var rest []Event
	for _, e := range out.Events {
		name, m := e.Member.Name, s.tracker.members[e.Member.Key()]
		switch e.Type {
		case EventSuspect:
			s.suspects++
			require.False(s.t, s.open[name], "it was suspected already")
			require.False(s.t, s.failed, "the source could not be read just before")
			require.GreaterOrEqual(s.t, nearOf(m.beats.gaps.newest(maxGaps), m.Interval()), gapsNeeded)
			require.Greater(s.t, e.Latency, s.tracker.limit(m.beats))
			require.Equal(s.t, Up, m.State())
			s.open[name] = true
		case EventConfirm, EventRefute:
			require.True(s.t, s.open[name], "it was not suspected")
			require.NotEmpty(s.t, e.Outcome)
			delete(s.open, name)
		default:
			require.Equal(s.t, e.Type == EventLeave && s.open[name], e.Outcome == OutcomeLeft)
			if e.Outcome == OutcomeLeft {
				delete(s.open, name)
			}
			e.Outcome, e.Member = "", drivers.Member{}
			rest = append(rest, e)
		}
	}
	for i := range without.Events {
		without.Events[i].Member = drivers.Member{}
	}
	require.Equal(s.t, without.Events, rest, "suspicion changes no other event")
	for i, m := range s.tracker.order {
		require.Equal(s.t, s.plain.order[i].State(), m.State(), "suspicion changes no state")
		_, suspected := m.Suspected()
		require.True(s.t, suspected || !s.open[m.Name], "a suspicion that has no outcome lasts")
	}
	if !out.PollAt.IsZero() {
		require.GreaterOrEqual(s.t, out.PollAt.Mono, s.at)
	}
}

// The histories of the fuzz test have suspicions.
func TestSimulationsSuspect(t *testing.T) {
	s := newSimulation(t)
	for range 30 {
		s.do(0, 4)
	}
	s.do(7, 1)
	for range 10 {
		s.do(0, 4)
	}
	require.Equal(t, 1, s.suspects)
}

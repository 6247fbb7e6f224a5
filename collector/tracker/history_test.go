package tracker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/internal/testrows"
	"servicegroup_exporter/drivers"
)

// A history is a series of polls of one source, with what each poll must change, in words: "death a 1m5s; a=down b=up" is the
// events in order, and then the state of every member.
type history struct {
	name        string
	noClock     bool          // the backend has no clock
	downTime    time.Duration // 0: a minute; negative: none
	forgetAfter time.Duration // 0: a day
	steps       []step
}

type step struct {
	at     time.Duration // when, since the beginning of the history
	failed bool
	rows   []drivers.Member
	want   string

	took     time.Duration     // how long the poll took; at is when it began
	wallStep time.Duration     // by how much this machine's wall clock is wrong from now on
	backStep time.Duration     // by how much the backend's clock is off from now on
	changed  time.Duration     // when a watch saw group g change
	rejected drivers.Rejection // an entry that the driver could not use
	unknown  string            // rows on which the backend has no verdict
	locked   string            // groups that can't be read
	restart  bool              // the exporter was restarted just before
}

// t0 is when histories begin.
var t0 = testrows.Start()

func TestHistories(t *testing.T) {
	for _, h := range allHistories() {
		t.Run(strings.ReplaceAll(h.name, " ", "_"), func(t *testing.T) { h.run(t) })
	}
}

func (h history) run(t *testing.T) {
	p := newPlayer(h)
	for i, s := range h.steps {
		if out, ok := p.play(t, &s); ok {
			require.Equal(t, s.want, inWords(p.tracker, out), "step %d, at %s", i+1, s.at)
			requireSound(t, p.tracker)
		}
	}
}

// A player plays the steps of a history.
type player struct {
	history
	tracker            *Tracker
	wallStep, backStep time.Duration
	sinceStart         time.Duration // when the process that polls began
}

func newPlayer(h history) *player {
	if h.forgetAfter == 0 {
		h.forgetAfter = 24 * hour
	}
	return &player{history: h, tracker: newTracker(h.forgetAfter)}
}

// play plays a step. It returns false for one in which the source can't be read.
func (p *player) play(t *testing.T, s *step) (out Changes, ok bool) {
	t.Helper()
	if s.wallStep != 0 {
		p.wallStep = s.wallStep
	}
	if s.backStep != 0 {
		p.backStep = s.backStep
	}
	now := func(at time.Duration) Instant {
		return Instant{Wall: t0.Add(at + p.wallStep), Mono: at - p.sinceStart}
	}
	if s.restart {
		p.sinceStart = s.at
		p.tracker = restarted(t, p.tracker, now(s.at))
	}
	if s.failed {
		p.tracker.ObserveFailure()
		return Changes{}, false
	}
	poll := &drivers.Poll{Members: s.rows, DownTime: max(p.downTime, 0)}
	if p.downTime == 0 {
		poll.DownTime = time.Minute
	}
	if !p.noClock {
		poll.Now = t0.Add(s.at + p.backStep)
	}
	if s.changed != 0 {
		poll.Changed = map[string]time.Time{"g": now(s.changed).Wall}
	}
	poll.Unknown, poll.UnreadableGroups = rows(s.unknown), strings.Fields(s.locked)
	if s.rejected != (drivers.Rejection{}) {
		poll.Rejected = []drivers.Rejection{s.rejected}
	}
	return p.tracker.Observe(poll, now(s.at), now(s.at+s.took)), true
}

func newTracker(forgetAfter time.Duration) *Tracker {
	return New(Options{Source: "s", Settings: Settings{ForgetAfter: forgetAfter}})
}

// restarted returns the tracker of the next process, which knows what this tracker saved.
func restarted(t *testing.T, tr *Tracker, now Instant) *Tracker {
	t.Helper()
	data, err := json.Marshal(tr.Save())
	require.NoError(t, err)
	saved, err := ParseSaved(data, "s")
	require.NoError(t, err)
	next := New(Options{Source: "s", Settings: Settings{ForgetAfter: tr.opts.ForgetAfter, Suspicion: tr.opts.Suspicion}})
	next.Restore(saved, now)
	return next
}

// requireSound checks what must be true of a tracker at any time.
func requireSound(t *testing.T, tr *Tracker) {
	t.Helper()
	require.Len(t, tr.members, len(tr.order))
	counted := make(map[string]Group)
	unknown := 0
	for i, m := range tr.order {
		require.Same(t, m, tr.members[m.Key()])
		require.False(t, m.Since.IsZero())
		require.Nil(t, m.row)
		require.True(t, !m.Fenced || m.forced() && m.state == Down, "fenced")
		since, isKnown := m.DownSince()
		require.Equal(t, m.state == Down, !since.IsZero(), "since")
		require.False(t, since.After(tr.last.end.Wall), "since")
		require.True(t, !isKnown || m.state == Down)
		require.True(t, i == 0 || Compare(tr.order[i-1], m) < 0, "order")
		g := counted[m.Group]
		g.Name = m.Group
		inService := InService(&m.Member, m.Fenced)
		switch state := m.State(); {
		case !inService:
			g.OutOfService++
		case state == Up:
			g.Up++
		case state == Down:
			g.Down++
		default:
			g.Unknown++
		}
		if m.State() == Unknown {
			unknown++
		}
		g.InDoubt = g.InDoubt || m.InDoubt()
		require.True(t, !m.DecidedDown() || inService && !m.inGrace, "who is down is in service")
		if m.DecidedDown() {
			g.DecidedDown++
		}
		if inService && (m.State() != Unknown || m.DecidedDown()) {
			g.InService++
		}
		counted[m.Group] = g
	}
	require.Equal(t, unknown, tr.Unknown())
	for _, g := range tr.Groups() {
		want := counted[g.Name]
		delete(counted, g.Name)
		require.LessOrEqual(t, g.DecidedDown, g.InService, g.Name)
		require.Equal(t, [4]int{want.Up, want.Down, want.Unknown, want.OutOfService}, [4]int{g.Up, g.Down, g.Unknown, g.OutOfService})
		require.Equal(t, want.InDoubt || g.Unreadable, g.InDoubt)
		if !g.InDoubt {
			require.Equal(t, [2]int{want.InService, want.DecidedDown}, [2]int{g.InService, g.DecidedDown})
			require.Equal(t, tr.last.end.Wall, g.LastKnown)
		}
	}
	require.Empty(t, counted, "groups that are missing")
	requireSoundDecisions(t, tr)
}

// requireSoundDecisions checks that exactly those members have a decision that lasts who are decided to be down, and that
// others ended within the hour.
func requireSoundDecisions(t *testing.T, tr *Tracker) {
	t.Helper()
	down := make(map[drivers.Key]bool)
	for _, m := range tr.order {
		if m.DecidedDown() {
			down[m.Key()] = true
		}
	}
	decisions := tr.Decisions()
	require.Len(t, decisions, len(tr.down.all))
	require.True(t, slices.IsSortedFunc(decisions, CompareDecisions))
	for _, d := range decisions {
		key := drivers.Key{Group: d.Group, Name: d.Name}
		if d.Lasts() {
			require.True(t, down[key], key)
			since, isKnown := tr.members[key].DownSince()
			if !isKnown {
				since = time.Time{}
			}
			require.Equal(t, Decision{d.Group, d.Name, tr.members[key].Binary, tr.members[key].Zone, since, Instant{}}, *d)
			require.Same(t, d, tr.members[key].decision)
			delete(down, key)
		} else {
			require.Less(t, tr.last.end.Sub(d.ended), EndedFor)
		}
	}
	require.Empty(t, down, "members without a decision")
}

func inWords(tr *Tracker, out Changes) string {
	var events, states []string
	for _, e := range out.Events {
		words := fmt.Sprintf("%s %s", e.Type, nameOf(&e.Member))
		if e.HasLatency {
			words += " " + e.Latency.String()
		}
		events = append(events, words)
	}
	for _, m := range tr.Members() {
		state := fmt.Sprintf("%s=%s", nameOf(&m.Member), m.State())
		if m.Fenced {
			state += "(fenced)"
		}
		states = append(states, state)
	}
	if len(events) == 0 {
		return strings.Join(states, " ")
	}
	return strings.TrimSpace(strings.Join(events, ", ") + "; " + strings.Join(states, " "))
}

func nameOf(m *drivers.Member) string {
	if m.Group == "g" {
		return m.Name
	}
	return m.Group + "/" + m.Name
}

func rows(words string) []drivers.Member { return testrows.Parse(words) }

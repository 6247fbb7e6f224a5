package tracker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// decided returns the decisions in words: "a=1" lasts, "a=0" has ended.
func (t *Tracker) decidedInWords() string {
	var words []string
	for _, d := range t.Decisions() {
		value := 0
		if d.Lasts() {
			value = 1
		}
		name := nameOf(&drivers.Member{Group: d.Group, Name: d.Name})
		if d.Zone != "" {
			name += "@" + d.Zone
		}
		words = append(words, fmt.Sprintf("%s=%d", name, value))
	}
	return strings.Join(words, " ")
}

// groupsInWords returns the groups as "g 1/3": how many of the members in service are down. It marks the groups that the last
// poll did not know.
func (t *Tracker) groupsInWords() string {
	var words []string
	for _, g := range t.Groups() {
		word := fmt.Sprintf("%s %d/%d", g.Name, g.DecidedDown, g.InService)
		if g.LastKnown.IsZero() {
			word = g.Name + " never known"
		}
		if g.InDoubt {
			word += " in doubt"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// A decisionStep is a poll, and what is decided after it.
type decisionStep struct {
	at       time.Duration
	rows     string
	unknown  string // rows without a verdict
	damaged  string // names of rows that can't be used
	failed   bool   // the source can't be read
	decided  string
	groups   string
	restart  bool
	setClock time.Duration // by how much this machine's wall clock is wrong from now on
}

func TestDecisions(t *testing.T) {
	runDecisions(t, map[string][]decisionStep{
		"a death and a recovery": {
			{at: 0, rows: "a:up b:up", decided: "", groups: "g 0/2"},
			{at: mins, rows: "b:up", decided: "a=1", groups: "g 1/2"},
			{at: 2 * mins, rows: "a:up b:up", decided: "a=0", groups: "g 0/2"},
			{at: 62*mins - sec, rows: "a:up b:up", decided: "a=0", groups: "g 0/2"},
			{at: 62 * mins, rows: "a:up b:up", decided: "", groups: "g 0/2"},
		},
		"it dies again within the hour": {
			{at: 0, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: 10 * mins, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 20 * mins, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: 90 * mins, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: 91 * mins, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 150 * mins, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 151 * mins, rows: "a:up", decided: "", groups: "g 0/1"},
		},
		"it leaves, and the group stays for an hour with zeros": {
			{at: 0, rows: "a:down:rostered", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "h/x:up", decided: "a=0", groups: "g 0/0, h 0/1"},
			{at: 60 * mins, rows: "h/x:up", decided: "a=0", groups: "g 0/0, h 0/1"},
			{at: 61 * mins, rows: "h/x:up", decided: "", groups: "h 0/1"},
		},
		"it leaves and comes back down": {
			{at: 0, rows: "a:down:rostered", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "", decided: "a=0", groups: "g 0/0"},
			{at: 2 * mins, rows: "a:down:rostered", decided: "a=1", groups: "g 1/1"},
		},
		"a group whose members were all up ends at once": {
			{at: 0, rows: "a:up:rostered", decided: "", groups: "g 0/1"},
			{at: mins, rows: "", decided: "", groups: ""},
		},
		"a group that vanishes soon after a recovery": {
			{at: 0, rows: "a:down:rostered", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "a:up:rostered", decided: "a=0", groups: "g 0/1"},
			{at: 2 * mins, rows: "", decided: "a=0", groups: "g 0/0"},
			{at: 61 * mins, rows: "", decided: "", groups: ""},
		},
		"it is forgotten": {
			{at: 0, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: 3 * hour, rows: "", decided: "a=0", groups: "g 0/0"},
			{at: 4 * hour, rows: "", decided: "", groups: ""},
		},
		"out of service, and back": {
			{at: 0, rows: "a:down:enabled", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "a:down:disabled:reason=repair", decided: "a=0", groups: "g 0/0"},
			{at: 2 * mins, rows: "a:down:disabled:auto=x", decided: "a=1", groups: "g 1/1"},
			{at: 3 * mins, rows: "a:down:enabled:forced", decided: "a=1", groups: "g 1/1"}, // fenced
			{at: 4 * mins, rows: "a:up:enabled:unforced", decided: "a=0", groups: "g 0/1"},
			{at: 5 * mins, rows: "a:down:enabled:forced", decided: "a=0", groups: "g 0/0"}, // by an operator
		},
	})
}

func TestDecisionsOnWhatIsUnknown(t *testing.T) {
	runDecisions(t, map[string][]decisionStep{
		"the source can't be read": {
			{at: 0, rows: "a:down b:up", decided: "a=1", groups: "g 1/2"},
			{at: mins, failed: true, decided: "a=1", groups: "g 1/2"},
			{at: 3 * hour, failed: true, decided: "a=1", groups: "g 1/2"},
		},
		"zeros end although the source can't be read": {
			{at: 0, rows: "a:down b:up", decided: "a=1", groups: "g 1/2"},
			{at: mins, rows: "a:up b:up", decided: "a=0", groups: "g 0/2"},
			{at: 60 * mins, failed: true, decided: "a=0", groups: "g 0/2"},
			{at: 61 * mins, failed: true, decided: "", groups: "g 0/2"},
		},
		"a group in doubt": {
			{at: 0, rows: "a:down b:up c:up", decided: "a=1", groups: "g 1/3"},
			{at: mins, rows: "a:down c:up", unknown: "b", decided: "a=1", groups: "g 1/3 in doubt"},
			{at: 2 * mins, rows: "a:down c:down", unknown: "b", decided: "a=1 c=1", groups: "g 1/3 in doubt"},
			{at: 3 * mins, rows: "a:up c:down", unknown: "b", decided: "a=0 c=1", groups: "g 1/3 in doubt"},
			{at: 4 * mins, rows: "a:up b:up c:down", decided: "a=0 c=1", groups: "g 1/3"},
		},
		"a group that is in doubt from the start": {
			{at: 0, rows: "a:down", unknown: "b", decided: "a=1", groups: "g never known in doubt"},
			{at: mins, rows: "a:down b:up", decided: "a=1", groups: "g 1/2"},
		},
		"in doubt while it is down": {
			{at: 0, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: mins, unknown: "a", decided: "a=1", groups: "g 1/1 in doubt"},
		},
		"grace": {
			{at: 0, rows: "a:up:beat=0s b:down:beat=-1h", decided: "b=1", groups: "g 1/2"},
			{at: 50 * sec, failed: true, decided: "b=1", groups: "g 1/2"},
			{at: 70 * sec, rows: "a:down:beat=0s b:down:beat=-1h", decided: "b=1", groups: "g 1/2 in doubt"},
			{at: 150 * sec, rows: "a:down:beat=0s b:down:beat=-1h", decided: "a=1 b=1", groups: "g 2/2"},
		},
		"damaged rows": {
			{at: 0, rows: "a:down:rostered b:up:rostered", damaged: "c", decided: "a=1", groups: "g 1/2"},
			{at: mins, damaged: "a b c", decided: "a=1", groups: "g 1/1"},
			{at: 2 * mins, rows: "b:up:rostered", decided: "a=0", groups: "g 0/1"},
		},
		"another zone while it is down": {
			{at: 0, rows: "a:down:rostered:zone=y", decided: "a@y=1", groups: "g 1/1"},
			{at: mins, rows: "a:down:rostered:zone=z", decided: "a@y=0 a@z=1", groups: "g 1/1"},
			{at: 2 * mins, rows: "a:up:rostered:zone=y", decided: "a@y=0 a@z=0", groups: "g 0/1"},
			{at: 61 * mins, rows: "a:up:rostered:zone=y", decided: "a@z=0", groups: "g 0/1"},
		},
	})
}

func TestDecisionsLastOverRestartsAndClocks(t *testing.T) {
	runDecisions(t, map[string][]decisionStep{
		"a restart": {
			{at: 0, rows: "a:down:rostered b:down:rostered c:up:rostered d:down:rostered", decided: "a=1 b=1 d=1", groups: "g 3/4"},
			{at: mins, rows: "a:up:rostered b:down:rostered c:up:rostered d:down:rostered", decided: "a=0 b=1 d=1", groups: "g 2/4"},
			{at: 2 * mins, restart: true, failed: true, decided: "a=0 b=1 d=1", groups: "g 2/4"},
			{at: 3 * mins, restart: true, rows: "a:up:rostered b:up:rostered c:up:rostered", decided: "a=0 b=0 d=0", groups: "g 0/3"},
			{at: 61 * mins, restart: true, rows: "a:up:rostered b:up:rostered", decided: "b=0 d=0", groups: "g 0/2"},
		},
		"a restart in doubt": {
			{at: 0, rows: "a:down b:up", decided: "a=1", groups: "g 1/2"},
			{at: mins, unknown: "a b", decided: "a=1", groups: "g 1/2 in doubt"},
			{at: 2 * mins, restart: true, failed: true, decided: "a=1", groups: "g 1/2 in doubt"},
		},
		"a restart after the group has vanished": {
			{at: 0, rows: "a:down:rostered", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "", decided: "a=0", groups: "g 0/0"},
			{at: 2 * mins, restart: true, failed: true, decided: "a=0", groups: "g 0/0"},
			{at: 3 * mins, rows: "", decided: "a=0", groups: "g 0/0"},
			{at: 61 * mins, rows: "", decided: "", groups: ""},
		},
		"the clock is set back, and forward": {
			{at: 0, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 2 * mins, setClock: -5 * hour, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 3 * mins, setClock: 5 * hour, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 61 * mins, setClock: -hour, rows: "a:up", decided: "", groups: "g 0/1"},
		},
		"the clock is set back during a restart": {
			{at: 0, rows: "a:down", decided: "a=1", groups: "g 1/1"},
			{at: mins, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 2 * mins, restart: true, setClock: -5 * hour, rows: "a:up", decided: "a=0", groups: "g 0/1"},
			{at: 62 * mins, rows: "a:up", decided: "", groups: "g 0/1"},
		},
	})
}

func runDecisions(t *testing.T, histories map[string][]decisionStep) {
	t.Helper()
	for name, steps := range histories {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { runSteps(t, steps) })
	}
}

func runSteps(t *testing.T, steps []decisionStep) {
	tr := newTracker(3 * hour)
	var wrong, began time.Duration
	for i, s := range steps {
		if s.setClock != 0 {
			wrong = s.setClock
		}
		if s.restart {
			began = s.at
			tr = restarted(t, tr, Instant{Wall: t0.Add(s.at + wrong)})
		}
		now := Instant{Wall: t0.Add(s.at + wrong), Mono: s.at - began}
		if s.failed {
			tr.ObserveFailure()
			tr.Expire(now)
		} else {
			poll := &drivers.Poll{Members: rows(s.rows), Unknown: rows(s.unknown), DownTime: mins}
			for name := range strings.FieldsSeq(s.damaged) {
				poll.Rejected = append(poll.Rejected, drivers.Rejection{Group: "g", Name: name, Reason: "data"})
			}
			tr.Observe(poll, now, now)
			requireSound(t, tr)
		}
		require.Equal(t, s.decided, tr.decidedInWords(), "step %d, at %s", i+1, s.at)
		require.Equal(t, s.groups, tr.groupsInWords(), "step %d, at %s", i+1, s.at)
	}
}

func TestExpectedGroups(t *testing.T) {
	tr := newTracker(hour)
	tr.Set(Settings{ForgetAfter: hour, ExpectedGroups: []string{"g", "h"}})
	require.Empty(t, tr.groupsInWords(), "no poll has known them")
	require.Equal(t, []string{"h"}, tr.observeAt(0, "h/x:up:rostered").NewGroups)
	require.Equal(t, "g 0/0, h 0/1", tr.groupsInWords())
	tr.observeAt(mins, "")
	require.Equal(t, "g 0/0, h 0/0", tr.groupsInWords())
	require.Equal(t, t0.Add(mins), tr.Groups()[0].LastKnown)
	require.Equal(t, []string{"g"}, tr.observeAt(2*mins, "a:up:rostered").NewGroups)
	tr = restarted(t, tr, Instant{Wall: t0.Add(3 * mins)})
	require.Equal(t, "g 0/1", tr.groupsInWords(), "nothing is expected of this tracker")

	tr.Set(Settings{ForgetAfter: hour, ExpectedGroups: []string{"g", "h"}})
	require.Equal(t, "g 0/1, h 0/0", tr.groupsInWords())
	tr.Observe(&drivers.Poll{ListsDatabases: true}, Instant{Wall: t0.Add(4 * mins)}, Instant{Wall: t0.Add(4 * mins)})
	require.Empty(t, tr.groupsInWords(), "such a source has no groups of its own")
}

// A backend with any content must not fill the memory with those that have left.
func TestDecisionsAreLimited(t *testing.T) {
	tr := New(Options{Source: "s", Settings: Settings{ForgetAfter: hour}, limits: limits{members: 3, groups: 100}})
	for i := range 20 {
		tr.observeAt(time.Duration(i)*sec, fmt.Sprintf("a%d:down:rostered b%d:down:rostered c%d:down:rostered", i, i, i))
		require.LessOrEqual(t, len(tr.Decisions()), 9)
		requireSound(t, tr)
	}
}

func TestSinceWhenMembersAreDisabled(t *testing.T) {
	tr := newTracker(hour)
	type times struct {
		reason        string
		since, forced time.Time
	}
	at := func(at time.Duration, words string) times {
		t.Helper()
		tr.observeAt(at, words)
		m := tr.Members()[0]
		reason, since := m.DisabledBy()
		return times{reason, since, m.ForcedSince()}
	}
	after := func(d time.Duration) time.Time { return t0.Add(d) }
	require.Equal(t, times{Disabled, after(0), time.Time{}}, at(0, "a:up:disabled:unforced"), "as far as this program saw")
	require.Equal(t, times{Disabled, after(0), time.Time{}}, at(mins, "a:up:disabled:unforced:reason=x"))
	require.Equal(t, times{AutoDisabled, after(2 * mins), time.Time{}}, at(2*mins, "a:up:disabled:unforced:auto=y"))
	require.Equal(t, times{AutoDisabled, after(2 * mins), after(3 * mins)}, at(3*mins, "a:down:disabled:forced:auto=z"))
	require.Equal(t, times{AutoDisabled, after(2 * mins), after(3 * mins)}, at(4*mins, ""), "what is not listed stays as it was")
	tr = restarted(t, tr, Instant{Wall: after(5 * mins)})
	require.Equal(t, times{AutoDisabled, after(2 * mins), after(3 * mins)}, at(5*mins, "a:down:disabled:forced:auto=z"))
	require.Equal(t, times{"", time.Time{}, after(3 * mins)}, at(6*mins, "a:down:enabled:forced"))
	require.Equal(t, times{"", time.Time{}, time.Time{}}, at(7*mins, "a:up:enabled:unforced"))
	require.Equal(t, times{Disabled, after(8 * mins), time.Time{}}, at(8*mins, "a:up:disabled"), "another time")
}

func TestFlapping(t *testing.T) {
	tr := newTracker(24 * hour)
	flaps := func(at time.Duration, words string) bool {
		tr.observeAt(at, words)
		return tr.Members()[0].Flaps(Instant{Wall: t0.Add(at), Mono: at})
	}
	require.False(t, flaps(0, "a:up"))
	for i := range 4 {
		require.False(t, flaps(time.Duration(i+1)*mins, []string{"", "a:up"}[i%2]), "%d changes", i+1)
	}
	require.True(t, flaps(10*mins, ""), "five changes")
	require.True(t, flaps(16*mins-sec, ""))
	require.False(t, flaps(16*mins, ""), "the first was 15 minutes ago")
	require.True(t, flaps(16*mins+30*sec, "a:up"), "it is the second that counts")
	require.False(t, flaps(17*mins, "a:up"))
	for i := range 100 {
		flaps(time.Duration(20+i)*mins, []string{"", "a:up"}[i%2])
	}
	m := tr.Members()[0]
	require.Len(t, m.changes, flapMost+1, "no more than needed is kept")
	tr = restarted(t, tr, Instant{Wall: t0.Add(120 * mins), Mono: 120 * mins})
	require.True(t, flaps(120*mins, "a:up"), "a restart does not hide it")

	require.False(t, flaps(200*mins, "a:up:unforced"))
	for i := range 10 { // An operator's work is no flapping.
		require.False(t, flaps(time.Duration(201+i)*mins, []string{"a:down:forced", "a:up:unforced"}[i%2]))
	}
}

func TestHeartbeatsAhead(t *testing.T) {
	tr := newTracker(hour)
	poll := &drivers.Poll{Members: rows("a:up:beat=1s b:up:beat=1001ms c:down:beat=2h d:up e:up:beat=-5s"), Now: t0, DownTime: mins}
	tr.Observe(poll, Instant{Wall: t0.Add(hour)}, Instant{Wall: t0.Add(hour)})
	ahead := make(map[string]time.Duration)
	for _, m := range tr.Members() {
		if d := tr.Ahead(m); d != 0 {
			ahead[m.Name] = d
		}
	}
	require.Equal(t, map[string]time.Duration{"b": 1001 * time.Millisecond, "c": 2 * hour}, ahead)
}

func TestStalledHeartbeats(t *testing.T) {
	tr := newTracker(hour)
	at := func(at time.Duration, words string) (stalled, ok bool) {
		t.Helper()
		tr.Observe(&drivers.Poll{Members: rows(words), Now: t0.Add(at), DownTime: mins},
			Instant{Wall: t0.Add(at), Mono: at}, Instant{Wall: t0.Add(at), Mono: at})
		return tr.Stalled()
	}
	is := func(want bool, stalled, ok bool) {
		t.Helper()
		require.True(t, ok)
		require.Equal(t, want, stalled)
	}
	_, ok := at(0, "a:up b:up c:up")
	require.False(t, ok, "there are no heartbeats")
	const three = "a:up:beat=0s b:up:beat=-3s c:up:beat=-4s"
	stalled, ok := at(30*sec, three)
	is(false, stalled, ok)
	stalled, ok = at(31*sec, three)
	is(true, stalled, ok)
	stalled, ok = at(32*sec, "a:up:beat=0s b:up:beat=-3s c:up:beat=-4s:disabled")
	is(false, stalled, ok)
	stalled, ok = at(33*sec, "a:up:beat=0s b:up:beat=-3s c:up:beat=32s:disabled d:up:beat=0s")
	is(false, stalled, ok)
	stalled, ok = at(50*sec, "a:up:beat=0s b:up:beat=-3s c:down:beat=-4s:rostered")
	is(true, stalled, ok)
	tr.ObserveFailure()
	stalled, ok = at(51*sec, three)
	is(false, stalled, ok)
	stalled, ok = at(170*sec, three)
	is(false, stalled, ok)
	stalled, ok = at(171*sec, three)
	is(true, stalled, ok)
	tr = restarted(t, tr, Instant{Wall: t0.Add(180 * sec)})
	stalled, ok = tr.Stalled()
	is(false, stalled, ok)
}

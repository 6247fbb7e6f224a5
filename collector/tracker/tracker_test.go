package tracker

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/internal/testrows"
	"servicegroup_exporter/drivers"
)

const (
	sec  = time.Second
	mins = time.Minute
	hour = time.Hour
)

func allHistories() []history {
	return slices.Concat(lifeHistories(), forcedHistories(), latencyHistories(), outageHistories(), clockHistories(),
		restartHistories(), oddHistories(), unreadableHistories())
}

func lifeHistories() []history {
	return []history{
		{name: "the first poll says nothing", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s b:down:beat=-1h"), want: "a=up b=down"},
			{at: 15 * sec, rows: rows("a:up:beat=10s b:down:beat=-1h"), want: "a=up b=down"},
		}},
		{name: "a heartbeat goes stale and comes back", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 60 * sec, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 65 * sec, rows: rows("a:down:beat=0s"), want: "death a 1m5s; a=down"},
			{at: 75 * sec, rows: rows("a:down:beat=0s"), want: "a=down"},
			{at: 90 * sec, rows: rows("a:up:beat=89s"), want: "recovery a 1m30s; a=up"},
		}},
		{name: "members join up and down", steps: []step{
			{at: 0, rows: nil, want: ""},
			{at: 15 * sec, rows: rows("a:up b:down"), want: "join a, join b; a=up b=down"},
		}},
		{name: "a rostered member leaves, up or down", steps: []step{
			{at: 0, rows: rows("a:up:rostered b:down:rostered c:up:rostered"), want: "a=up b=down c=up"},
			{at: 15 * sec, rows: rows("c:up:rostered"), want: "leave a, leave b; c=up"},
			{at: 30 * sec, rows: rows("a:up:rostered c:up:rostered"), want: "join a; a=up c=up"},
		}},
		{name: "a member without a roster dies when it is gone", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 10 * sec, rows: rows("b:up"), want: "death a 14s; a=down b=up"},
			{at: 20 * sec, rows: rows("b:up"), want: "a=down b=up"},
			{at: 30 * sec, rows: rows("a:up b:up"), want: "recovery a 34s; a=up b=up"},
		}},
		{name: "the dead are forgotten in the end", forgetAfter: hour, downTime: 4 * sec, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 10 * sec, rows: rows("b:up"), want: "death a 14s; a=down b=up"},
			{at: hour, rows: rows("b:up"), want: "a=down b=up"},
			{at: hour + 10*sec, rows: rows("b:up"), want: "forgotten a; b=up"},
			{at: hour + 20*sec, rows: rows("a:up b:up"), want: "join a; a=up b=up"},
		}},
		{name: "the dead that the backend shows are not forgotten", forgetAfter: hour, steps: []step{
			{at: 0, rows: rows("a:down:beat=-1h"), want: "a=down"},
			{at: 3 * hour, rows: rows("a:down:beat=-1h"), want: "a=down"},
		}},
		{name: "an up member is not forgotten but dies", forgetAfter: hour, downTime: sec, steps: []step{
			{at: 0, rows: rows("a:up"), want: "a=up"},
			{at: 2 * hour, rows: nil, want: "death a 2h0m1s; a=down"},
		}},
		{name: "flaps are all counted", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 61 * sec, rows: rows("a:down:beat=0s"), want: "death a 1m1s; a=down"},
			{at: 62 * sec, rows: rows("a:up:beat=62s"), want: "recovery a 1m2s; a=up"},
			{at: 130 * sec, rows: rows("a:down:beat=62s"), want: "death a 1m8s; a=down"},
			{at: 131 * sec, rows: rows("a:up:beat=131s"), want: "recovery a 1m9s; a=up"},
		}},
		{name: "a member is known by group and name", steps: []step{
			{at: 0, rows: rows("g/a:up h/a:down"), want: "a=up h/a=down"},
			{at: 15 * sec, rows: rows("g/a:up:binary=x h/a:down:binary=x"), want: "a=up h/a=down"},
		}},
	}
}

func forcedHistories() []history {
	return []history{
		{name: "forced down is no death and its end no recovery", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:beat=9s:forced"), want: "forced_down a; a=down"},
			{at: 20 * sec, rows: rows("a:up:beat=19s:unforced"), want: "forced_up a; a=up"},
		}},
		{name: "dead while forced down", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:beat=9s:forced"), want: "forced_down a; a=down"},
			{at: 2 * mins, rows: rows("a:down:beat=9s:unforced"), want: "a=down"},
			{at: 3 * mins, rows: rows("a:up:beat=179s:unforced"), want: "recovery a; a=up"},
		}},
		{name: "dead while forced down, after another death", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 61 * sec, rows: rows("a:down:beat=0s:unforced"), want: "death a 1m1s; a=down"},
			{at: 70 * sec, rows: rows("a:up:beat=69s:unforced"), want: "recovery a 1m10s; a=up"},
			{at: 80 * sec, rows: rows("a:down:beat=79s:forced"), want: "forced_down a; a=down"},
			{at: 200 * sec, rows: rows("a:down:beat=79s:unforced"), want: "a=down"},
			{at: 210 * sec, rows: rows("a:up:beat=209s:unforced"), want: "recovery a; a=up"},
		}},
		{name: "forced down when dead already", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 61 * sec, rows: rows("a:down:beat=0s:unforced"), want: "death a 1m1s; a=down"},
			{at: 70 * sec, rows: rows("a:down:beat=0s:forced"), want: "a=down(fenced)"},
			{at: 80 * sec, rows: rows("a:down:beat=0s:forced"), want: "a=down(fenced)"},
			{at: 90 * sec, rows: rows("a:up:beat=89s:unforced"), want: "forced_up a; a=up"},
			{at: 99 * sec, rows: rows("a:down:beat=89s:forced"), want: "forced_down a; a=down"},
		}},
		{name: "fenced, and no longer forced down but still dead", steps: []step{
			{at: 0, rows: rows("a:down:beat=-1h:unforced"), want: "a=down"},
			{at: 10 * sec, rows: rows("a:down:beat=-1h:forced"), want: "a=down(fenced)"},
			{at: 20 * sec, rows: rows("a:down:beat=-1h:unforced"), want: "a=down"},
			{at: 30 * sec, rows: rows("a:down:beat=-1h:forced"), want: "a=down(fenced)"},
		}},
		{name: "fenced, and its row can't be read for a time", steps: []step{
			{at: 0, rows: rows("a:down:rostered:unforced"), want: "a=down"},
			{at: 10 * sec, rows: rows("a:down:rostered:forced"), want: "a=down(fenced)"},
			{at: 20 * sec, rejected: drivers.Rejection{Group: "g", Name: "a", Reason: "data"}, want: "a=unknown(fenced)"},
			{at: 30 * sec, rows: rows("a:down:rostered:forced"), want: "a=down(fenced)"},
		}},
		{name: "fenced while the backend can't say more", steps: []step{
			{at: 0, rows: rows("a:down:unforced"), want: "a=down"},
			{at: 10 * sec, unknown: "a:down:forced", want: "a=unknown(fenced)"},
			{at: 20 * sec, rows: rows("a:down:forced"), want: "a=down(fenced)"},
			{at: 30 * sec, unknown: "a:down:unforced", want: "a=unknown"},
		}},
		{name: "first seen forced down", steps: []step{
			{at: 0, rows: rows("a:down:beat=0s:forced"), want: "a=down"},
			{at: 10 * sec, rows: rows("a:down:beat=0s:unforced"), want: "a=down"},
			{at: 20 * sec, rows: rows("a:up:beat=19s:unforced"), want: "recovery a; a=up"},
		}},
		{name: "disabled members die like others", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:disabled"), want: "a=up"},
			{at: 61 * sec, rows: rows("a:down:beat=0s:disabled"), want: "death a 1m1s; a=down"},
		}},
	}
}

func oddHistories() []history {
	return []history{
		{name: "duplicate rows", steps: []step{
			{at: 0, rows: rows("a:down:beat=-1h a:up:beat=0s a:down:beat=-2h"), want: "a=up"},
			{at: 15 * sec, rows: rows("a:up:beat=0s a:down:beat=-1h"), want: "a=up"},
		}},
		{name: "names that can't be labels", steps: []step{
			{at: 0, rows: append(rows("a:up"), drivers.Member{Group: "g", Name: "\xff"}, drivers.Member{Group: "g"},
				drivers.Member{Name: "x"}), want: "a=up"},
		}},
		{name: "times that can't be", steps: []step{
			{at: 0, rows: []drivers.Member{
				{Group: "g", Name: "a", Up: true, LastHeartbeat: t0.AddDate(20000, 0, 0)},
				{Group: "g", Name: "b", Up: true, LastHeartbeat: t0.AddDate(7000, 0, 0)},
			}, want: "a=up b=up"},
			{at: 15 * sec, restart: true, rows: rows("a:up:beat=14s b:up:beat=14s"), want: "a=up b=up"},
			{at: 75 * sec, rows: rows("a:down:beat=14s b:down:beat=14s"), want: "death a 1m1s, death b 1m1s; a=down b=down"},
		}},
		{name: "a rostered member whose entry is damaged for a time", steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 15 * sec, rejected: drivers.Rejection{Group: "g", Name: "a", Reason: "data"}, want: "a=unknown"},
			{at: 30 * sec, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 45 * sec, rejected: drivers.Rejection{Group: "g", Name: "a", Reason: "data"}, want: "a=unknown"},
			{at: 60 * sec, want: "leave a;"},
		}},
		{name: "a dead member whose entry is damaged for a time", steps: []step{
			{at: 0, rows: rows("a:down:rostered"), want: "a=down"},
			{at: 15 * sec, rejected: drivers.Rejection{Group: "g", Name: "a", Reason: "data"}, want: "a=unknown"},
			{at: 30 * sec, rows: rows("a:down:rostered"), want: "a=down"},
		}},
	}
}

func TestRejectedRowsAreCounted(t *testing.T) {
	tr := newTracker(hour)
	poll := &drivers.Poll{
		Members: append(rows("a:up a:up"), drivers.Member{Group: "g", Name: "\xff"}),
		Rejected: []drivers.Rejection{
			{Group: "g", Name: "x", Reason: "data"}, {Reason: "name"}, {Reason: "duplicate"}, {Reason: "surprise"},
		},
	}
	out := tr.Observe(poll, Instant{Wall: t0}, Instant{Wall: t0})
	require.Equal(t, map[string]int{"name": 2, "duplicate": 2, "data": 2}, out.Rejected)
}

func TestTransitionsAndTimes(t *testing.T) {
	tr := newTracker(hour)
	at := func(d time.Duration, words string) *Member {
		t.Helper()
		tr.observeAt(d, words)
		return tr.Members()[0]
	}
	m := at(0, "a:up:beat=0s")
	require.Equal(t, testrows.Parse("a:up:beat=0s")[0], m.Member)
	require.Equal(t, Up, m.State())
	require.Equal(t, t0, m.Since.Wall)
	require.Zero(t, m.Transitions)
	require.Equal(t, t0, at(sec, "a:up:beat=1s").Since.Wall)
	m = at(2*mins, "a:down:beat=1s")
	require.Equal(t, testrows.Parse("a:down:beat=1s")[0], m.Member)
	require.Equal(t, Down, m.State())
	require.Equal(t, t0.Add(2*mins), m.Since.Wall)
	require.Equal(t, uint64(1), m.Transitions)
	require.Equal(t, uint64(2), at(3*mins, "a:up:beat=3m").Transitions)
	m = at(4*mins, "a:down:beat=4m:forced")
	require.Equal(t, t0.Add(4*mins), m.Since.Wall)
	require.Equal(t, uint64(2), m.Transitions)
}

func TestTheLastHeartbeatIsShownAfterItsKeyHasExpired(t *testing.T) {
	tr := newTracker(hour)
	tr.observeAt(0, "a:up:beat=-3s")
	tr.observeAt(mins, "a:down")
	require.Equal(t, t0.Add(-3*sec), tr.Members()[0].LastHeartbeat)
	tr.observeAt(2*mins, "a:down:beat=-1h")
	require.Equal(t, t0.Add(-hour), tr.Members()[0].LastHeartbeat, "as the backend says")
}

func TestTheNewestHeartbeatIsNotOneOfTheFuture(t *testing.T) {
	tr := newTracker(hour)
	poll := &drivers.Poll{Members: rows("a:up:beat=-5s b:down:beat=2h c:down:beat=-1h"), Now: t0, DownTime: mins}
	tr.Observe(poll, Instant{Wall: t0}, Instant{Wall: t0})
	require.Equal(t, t0.Add(-5*sec), tr.NewestHeartbeat())
}

func TestLimits(t *testing.T) {
	tr := New(Options{Source: "s", Settings: Settings{ForgetAfter: hour}, limits: limits{members: 3, groups: 2}})
	at := func(n int, words string) map[string]int { return tr.observeAt(time.Duration(n)*sec, words).Rejected }
	names := func() (all []string) {
		for _, m := range tr.Members() {
			all = append(all, m.Group+"/"+m.Name)
		}
		return all
	}
	require.Empty(t, at(0, "g/a:up:rostered h/b:up:rostered"))
	require.Equal(t, map[string]int{"limit": 3}, at(1, "i/a:up i/b:up g/a:up:rostered g/c:up:rostered g/d:up h/b:down:rostered"))
	require.Equal(t, []string{"g/a", "g/c", "h/b"}, names())
	require.Empty(t, at(2, "g/a:up:rostered"))
	require.Equal(t, []string{"g/a"}, names())
	require.Equal(t, map[string]int{"limit": 1}, at(3, "g/a:up:rostered i/a:up"), "an empty group is remembered for a while")
	require.Empty(t, at(4, "g/a:up:rostered h/a:up h/b:up"))
}

func TestEmptyGroupsAreKeptForAWhile(t *testing.T) {
	tr := newTracker(hour)
	at := tr.observeAt
	require.Equal(t, []string{"g"}, at(0, "a:up:rostered").NewGroups)
	require.Empty(t, at(mins, "").GoneGroups)
	require.Contains(t, tr.groups, "g")
	require.Empty(t, at(2*mins, "a:up:rostered").NewGroups)
	require.Empty(t, at(3*mins, "").GoneGroups)
	require.Empty(t, at(62*mins, "").GoneGroups)
	require.Equal(t, []string{"g"}, at(63*mins, "").GoneGroups)
}

package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// A testState is a state with a time that a test sets.
type testState struct {
	*state
	t        *testing.T
	schedule *schedule
	now      time.Time
}

func newTestState(t *testing.T, change func(*config.Alerting)) *testState {
	c := config.DefaultAlerting()
	if change != nil {
		change(&c)
	}
	require.NoError(t, c.Validate())
	return &testState{state: newState(savedState{}), t: t, schedule: newSchedule(&c), now: began.Add(time.Hour)}
}

// step lets time pass, evaluates snapshots, and returns what is posted.
func (b *testState) step(after time.Duration, snapshots ...collector.Snapshot) []*alertmanager.Alert {
	b.now = b.now.Add(after)
	b.update(evaluate(snapshots, newBuilder(nil)), undecided(snapshots, never), b.now)
	due, _ := b.due(b.schedule, newBuilder(nil), nil, b.now)
	return due
}

// posted returns how many alerts are posted while nothing changes. It steps as often as a bridge.
func (b *testState) posted(during time.Duration, snapshots ...collector.Snapshot) int {
	n := 0
	for end := b.now.Add(during); b.now.Before(end); {
		n += len(b.step(b.schedule.tick(), snapshots...))
	}
	return n
}

func names(list []*alertmanager.Alert) []string {
	var ids []alerts.ID
	for _, a := range list {
		ids = append(ids, alerts.ID{
			Alert: a.Labels["alertname"], Source: a.Labels["source"], Group: a.Labels["group"], Member: a.Labels["member"],
			Host: a.Labels["host"],
		})
	}
	return brief(ids...)
}

// A death is posted in the step in which the suspicion before it ends. A suspicion that is refuted, or whose member leaves or is disabled,
// just ends.
func TestSuspicionEnds(t *testing.T) {
	for name, test := range map[string]struct {
		then string
		want []string
	}{
		"confirmed":       {"a:up b:down", []string{"MemberDown s/g/b"}},
		"refuted":         {"a:up b:up", nil},
		"left":            {"a:up", nil},
		"in maintenance":  {"a:up b:up:suspected:maintenance", nil},
		"another, too":    {"a:up:suspected b:down", []string{"MemberSuspected s/g/a", "MemberDown s/g/b"}},
		"all of them die": {"a:down b:down", []string{"MemberDown s/g/a", "MemberDown s/g/b", "Degraded s/g", "Outage s/g"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestState(t, nil)
			first := b.step(0, snapshot("s", "a:up b:up:suspected"))
			require.Equal(t, []string{"MemberSuspected s/g/b"}, names(first))
			require.Equal(t, "info", first[0].Labels["severity"])
			require.Contains(t, first[0].Annotations["description"], "has sent no heartbeat since 2026-11-25 03:00:00 UTC,")
			b.now = b.now.Add(time.Second)
			s := []collector.Snapshot{snapshot("s", test.then)}
			b.update(evaluate(s, newBuilder(nil)), undecided(s, never), b.now)
			due, over := b.due(b.schedule, newBuilder(nil), nil, b.now)
			require.ElementsMatch(t, test.want, names(due))
			require.Equal(t, []string{"MemberSuspected s/g/b"}, names(over))
		})
	}
}

// A problem of a source must last for as long as by the rule before its alert fires. A problem that ends sooner is no alert, one that
// begins again waits again, and so does one after a restart, unless its alert has fired before.
func TestProblemsMustLast(t *testing.T) {
	const hold = alerts.SourceProblemHold
	problem := func(kinds ...drivers.ProblemKind) collector.Snapshot {
		s := snapshot("s", "a:up")
		for _, kind := range kinds {
			s.Problems = append(s.Problems, drivers.Problem{Kind: kind})
		}
		return s
	}
	const absent, foreign = drivers.ProblemAbsent, drivers.ProblemForeign
	firing := []string{"SourceProblem s"}
	for name, test := range map[string]func(b *testState){
		"it lasts": func(b *testState) {
			require.Zero(t, b.posted(hold-time.Second, problem(absent)))
			began := b.now
			posted := b.step(b.schedule.tick(), problem(absent))
			require.Equal(t, firing, names(posted))
			require.True(t, posted[0].Start.After(began), "the alert begins when it fires, as by the rule")
		},
		"it ends in time": func(b *testState) {
			require.Zero(t, b.posted(hold-time.Second, problem(absent)))
			require.Zero(t, b.posted(time.Hour, problem()))
			require.Empty(t, b.entries)
		},
		"it comes and goes": func(b *testState) {
			for range 5 {
				require.Zero(t, b.posted(hold-time.Second, problem(absent)))
				require.Zero(t, b.posted(time.Second, problem()))
			}
		},
		"another one replaces it": func(b *testState) {
			require.Zero(t, b.posted(hold-time.Second, problem(absent)))
			require.Zero(t, b.posted(hold-time.Second, problem(foreign)))
			require.Equal(t, firing, names(b.step(b.schedule.tick(), problem(absent, foreign))))
		},
		"its source is lost meanwhile": func(b *testState) {
			require.Zero(t, b.posted(time.Minute, problem(absent)))
			require.Zero(t, b.posted(hold-time.Minute-time.Second, lost(problem(absent))))
			require.Equal(t, firing, names(b.step(b.schedule.tick(), lost(problem(absent)))))
		},
		"a restart before it fires": func(b *testState) {
			require.Zero(t, b.posted(hold-time.Second, problem(absent)))
			b.state = newState(b.saved())
			require.Zero(t, b.posted(hold-time.Second, problem(absent)))
			require.Equal(t, firing, names(b.step(b.schedule.tick(), problem(absent))))
		},
		"a restart after it has fired": func(b *testState) {
			b.posted(hold+time.Minute, problem(absent))
			b.state = newState(b.saved())
			require.Equal(t, firing, names(b.step(0, unread("s"))))
			require.Equal(t, 12, b.posted(time.Minute, problem(absent)))
			require.Zero(t, b.posted(hold, problem()))
			require.Zero(t, b.posted(hold-time.Second, problem(absent)), "it is another one")
		},
	} {
		t.Run(name, func(*testing.T) { test(newTestState(t, nil)) })
	}
}

func TestFiringAlertsAreRepeated(t *testing.T) {
	b := newTestState(t, nil)
	require.Empty(t, b.step(0, snapshot("s", "a:up b:up")))
	first := b.step(0, snapshot("s", "a:up b:down"))
	require.Equal(t, []string{"MemberDown s/g/b"}, names(first))
	require.Equal(t, began, first[0].Start)
	require.Zero(t, first[0].End)
	require.False(t, first[0].First)
	require.Empty(t, b.step(0, snapshot("s", "a:up b:down")))
	require.Equal(t, 47, b.posted(4*time.Minute-5*time.Second, snapshot("s", "a:up b:down")), "every 5 s until the rules have had time to fire")
	require.Equal(t, 60, b.posted(10*time.Minute, snapshot("s", "a:up b:down")), "every 10 s afterwards")
	require.Empty(t, b.step(0, snapshot("s", "a:up b:up")))
	require.Zero(t, b.posted(10*time.Minute, snapshot("s", "a:up b:up")), "only the rules resolve it")
	require.Empty(t, b.entries)
}

func TestAlertsAboutManyMembersAreFirst(t *testing.T) {
	b := newTestState(t, nil)
	for _, a := range b.step(0, snapshot("s", "a:down")) {
		require.Equal(t, a.Labels["alertname"] == alerts.Outage, a.First)
	}
}

func TestRetained(t *testing.T) {
	b := newTestState(t, nil)
	dead := snapshot("s", "a:down b:up h/c:down")
	require.Len(t, b.step(0, dead), 3)
	require.Zero(t, b.retained())
	b.posted(time.Hour, dead)
	require.Equal(t, 3*6, b.posted(time.Minute, lost(dead)))
	require.Equal(t, 3, b.retained())
	// The source can be read again, but the groups are not known.
	require.Equal(t, 3*6, b.posted(time.Minute, inDoubt(snapshot("s", "a:down:unknown b:up h/c:down:unknown"))))
	require.Equal(t, 3, b.retained())
	require.Equal(t, 2*6, b.posted(time.Minute, snapshot("s", "a:up b:up h/c:down:unknown")), "a damaged row does not make its group unknown")
	require.Equal(t, 1, b.retained())
	require.Zero(t, b.posted(time.Minute, snapshot("s", "a:up b:up")), "the member has left")
	require.Zero(t, b.retained())
}

// A condition that is retained also begins an alert: groups that are known can make a source with others fail.
func TestRetainedBegins(t *testing.T) {
	b := newTestState(t, nil)
	require.Len(t, b.step(0, lost(snapshot("s", "a:down b:up"))), 1)
	require.Equal(t, 1, b.retained())
}

// A retained alert yields to other senders, unless what they send may be about an earlier alert.
func TestRetainedYieldsToOthers(t *testing.T) {
	retained := func(posted []*alertmanager.Alert) (n int) {
		for _, a := range posted {
			if a.Retained {
				n++
			}
		}
		return n
	}
	dead := func(b *testState, since time.Duration) collector.Snapshot {
		s := snapshot("s", "a:down b:up")
		s.Members[0].Since = b.now.Add(-since)
		return s
	}
	b := newTestState(t, nil)
	require.Zero(t, retained(b.step(0, dead(b, time.Hour))))
	require.Equal(t, 1, retained(b.step(10*time.Second, lost(dead(b, time.Hour)))))
	require.Zero(t, retained(b.step(10*time.Second, dead(b, time.Hour))), "the source can be read again")

	b = newTestState(t, nil)
	now := dead(b, 0)
	b.step(0, now)
	require.Zero(t, retained(b.step(time.Minute, lost(now))), "the rules may not have seen this death")
	require.Zero(t, retained(b.step(15*time.Minute, lost(now))))
	require.Equal(t, 1, retained(b.step(5*time.Minute, lost(now))), "Prometheus no longer repeats the end of an earlier alert")
}

// An alert that another sender has resolved stays so until its condition can be evaluated, also after a restart.
func TestEndRetained(t *testing.T) {
	b := newTestState(t, nil)
	dead := snapshot("s", "a:down b:down c:down d:up")
	b.step(0, dead)
	id := func(member string) alerts.ID {
		return alerts.ID{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: member}
	}
	require.Zero(t, b.endRetained([]alerts.ID{id("a"), id("unknown")}, b.now), "an alert that is not retained does not end")
	b.step(time.Second, lost(dead))
	require.Equal(t, 1, b.endRetained([]alerts.ID{id("a"), id("a")}, b.now))
	require.Equal(t, 3, b.retained())
	for range 3 {
		require.NotContains(t, names(b.step(10*time.Second, lost(dead))), "MemberDown s/g/a")
		require.NotContains(t, names(b.step(10*time.Second, unread("s"))), "MemberDown s/g/a")
		b.state = newState(b.saved())
	}
	require.Contains(t, names(b.step(10*time.Second, dead)), "MemberDown s/g/a")
	require.Empty(t, b.saved().Ended)
	b.step(time.Second, lost(dead))
	require.Equal(t, 1, b.endRetained([]alerts.ID{id("a")}, b.now))
	b.step(10*time.Second, snapshot("s", "d:up"))
	require.Empty(t, b.saved().Ended, "the member has left")
}

func TestAlertIsNewAfterItWasOver(t *testing.T) {
	b := newTestState(t, nil)
	b.step(0, snapshot("s", "a:down b:up"))
	b.posted(10*time.Minute, snapshot("s", "a:down b:up"))
	b.step(time.Second, snapshot("s", "a:up b:up"))
	again := snapshot("s", "a:down b:up")
	again.Members[0].Since = b.now
	posted := b.step(time.Second, again)
	require.Len(t, posted, 1)
	require.Equal(t, again.Members[0].Since, posted[0].Start)
	require.Equal(t, 12, b.posted(time.Minute, again))
}

func TestResolveAfter(t *testing.T) {
	b := newTestState(t, func(c *config.Alerting) { c.ResolveAfter = config.DurationOrNever(5 * time.Minute) })
	b.step(0, snapshot("s", "a:down b:up"))
	require.Zero(t, b.posted(5*time.Minute-10*time.Second, snapshot("s", "a:up b:up")))
	// The member must be up without interruption.
	require.Len(t, b.step(0, snapshot("s", "a:down b:up")), 1)
	require.Zero(t, b.posted(5*time.Minute, snapshot("s", "a:up b:up")))
	over := b.step(b.schedule.tick(), snapshot("s", "a:up b:up"))
	require.Len(t, over, 1)
	require.Equal(t, b.now, over[0].End)
	require.Equal(t, 30, b.posted(5*time.Minute, snapshot("s", "a:up b:up")), "every 10 s for 5 minutes")
	require.Zero(t, b.posted(time.Minute, snapshot("s", "a:up b:up")))
	require.Empty(t, b.entries)
}

func TestResolveAtOnce(t *testing.T) {
	b := newTestState(t, func(c *config.Alerting) { c.ResolveAfter = 0 })
	b.step(0, snapshot("s", "a:down b:up"))
	over := b.step(time.Second, snapshot("s", "a:up b:up"))
	require.Len(t, over, 1)
	require.Equal(t, b.now, over[0].End)
	require.Zero(t, b.step(time.Second, snapshot("s", "a:down b:up"))[0].End)
}

// An operator who disables a dead member has seen that it is dead.
func TestOutOfServiceEndsTheAlert(t *testing.T) {
	b := newTestState(t, nil)
	b.step(0, snapshot("s", "a:down b:up"))
	b.step(time.Second, snapshot("s", "a:down:maintenance b:up"))
	require.Zero(t, b.posted(time.Minute, snapshot("s", "a:down:maintenance b:up")))
}

func TestRestartKeepsAlerts(t *testing.T) {
	before := newTestState(t, nil)
	before.step(0, snapshot("s", "a:down b:up"), snapshot("gone", "c:down d:up"), snapshot("nova/cell1", "e:down f:up"))
	after := newTestState(t, nil)
	after.state = newState(before.saved())
	// No source has been polled yet, one was removed from the configuration, and one may still be found.
	pending := func(s string) bool { return s == "nova/cell1" }
	after.update(nil, undecided([]collector.Snapshot{unread("s")}, pending), after.now)
	posted, _ := after.due(after.schedule, newBuilder(nil), nil, after.now)
	require.ElementsMatch(t, []string{"MemberDown s/g/a", "MemberDown nova/cell1/g/e"}, names(posted))
	for _, a := range posted {
		require.Equal(t, began, a.Start)
	}
	require.Equal(t, 2, after.retained())
}

func TestOnlyDetectedDeathsHaveALatency(t *testing.T) {
	b := newTestState(t, nil)
	id := alerts.ID{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "a"}
	snapshots := []collector.Snapshot{snapshot("s", "a:down b:down c:up")}
	b.update(evaluate(snapshots, newBuilder(nil)), undecided(snapshots, never), b.now)
	due, _ := b.due(b.schedule, newBuilder(nil), map[alerts.ID]time.Time{id: b.now}, b.now)
	require.Len(t, due, 3)
	for _, a := range due {
		require.Equal(t, a.Labels["member"] == "a", !a.Detected.IsZero())
	}
}

func TestStartIsNotInTheFuture(t *testing.T) {
	b := newTestState(t, nil)
	s := snapshot("s", "a:down b:up")
	s.Members[0].Since = b.now.Add(time.Hour)
	require.Equal(t, b.now, b.step(0, s)[0].Start)
}

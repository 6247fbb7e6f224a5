package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
)

// A bench is a ledger whose time a test sets.
type bench struct {
	*ledger
	t        *testing.T
	schedule *schedule
	now      time.Time
}

func newBench(t *testing.T, change func(*config.Alerting)) *bench {
	c := config.DefaultAlerting()
	if change != nil {
		change(&c)
	}
	require.NoError(t, c.Validate())
	return &bench{ledger: newLedger(nil), t: t, schedule: newSchedule(&c), now: began.Add(time.Hour)}
}

// see lets time pass, then takes over what is known, and gives what is posted.
func (b *bench) see(after time.Duration, snapshots ...collector.Snapshot) []*alertmanager.Alert {
	b.now = b.now.Add(after)
	b.update(newSurvey(snapshots, builder(nil), never), b.now)
	due, _ := b.due(b.schedule, builder(nil), nil, b.now)
	return due
}

// posted counts what is posted while nothing changes, looking as often as a bridge does.
func (b *bench) posted(during time.Duration, snapshots ...collector.Snapshot) int {
	n := 0
	for end := b.now.Add(during); b.now.Before(end); {
		n += len(b.see(b.schedule.tick(), snapshots...))
	}
	return n
}

func names(list []*alertmanager.Alert) []string {
	var ids []alerts.ID
	for _, a := range list {
		ids = append(ids, alerts.ID{
			Alert: a.Labels["alertname"], Source: a.Labels["source"], Group: a.Labels["group"], Member: a.Labels["member"],
		})
	}
	return brief(ids...)
}

func TestWhatFiresIsRepeatedUntilItIsOver(t *testing.T) {
	b := newBench(t, nil)
	require.Empty(t, b.see(0, snapshot("s", "a:up b:up")))
	first := b.see(0, snapshot("s", "a:up b:down"))
	require.Equal(t, []string{"MemberDown s/g/b"}, names(first))
	require.Equal(t, began, first[0].Start)
	require.Zero(t, first[0].End)
	require.False(t, first[0].First)
	require.Empty(t, b.see(0, snapshot("s", "a:up b:down")))
	require.Equal(t, 47, b.posted(4*time.Minute-5*time.Second, snapshot("s", "a:up b:down")), "every 5 s while the rules may be behind")
	require.Equal(t, 60, b.posted(10*time.Minute, snapshot("s", "a:up b:down")), "every 10 s then")
	require.Empty(t, b.see(0, snapshot("s", "a:up b:up")))
	require.Zero(t, b.posted(10*time.Minute, snapshot("s", "a:up b:up")), "nobody but the rules says that it is over")
	require.Empty(t, b.entries)
}

func TestWhatIsAboutManyGoesFirst(t *testing.T) {
	b := newBench(t, nil)
	for _, a := range b.see(0, snapshot("s", "a:down")) {
		require.Equal(t, a.Labels["alertname"] == alerts.Outage, a.First)
	}
}

func TestWhatIsNotKnownIsHeld(t *testing.T) {
	b := newBench(t, nil)
	require.Len(t, b.see(0, snapshot("s", "a:down b:up h/c:down")), 3)
	require.Zero(t, b.held())
	b.posted(time.Hour, snapshot("s", "a:down b:up h/c:down"))
	require.Equal(t, 3*6, b.posted(time.Minute, blind("s")))
	require.Equal(t, 3, b.held())
	// The source is back, but a member has not been heard of yet.
	require.Equal(t, 3*6, b.posted(time.Minute, snapshot("s", "a:doubt b:up h/c:doubt")))
	require.Equal(t, 3, b.held())
	require.Equal(t, 1*6, b.posted(time.Minute, snapshot("s", "a:up b:up h/c:damaged")), "a group is judged without it")
	require.Equal(t, 1, b.held())
	require.Zero(t, b.posted(time.Minute, snapshot("s", "a:up b:up")), "the member has left")
	require.Zero(t, b.held())
}

// Prometheus may know better of what is held, unless what it says can be about an earlier outage.
func TestOthersMayKnow(t *testing.T) {
	held := func(posted []*alertmanager.Alert) (n int) {
		for _, a := range posted {
			if a.Held {
				n++
			}
		}
		return n
	}
	dead := func(b *bench, since time.Duration) collector.Snapshot {
		s := snapshot("s", "a:down b:up")
		s.Members[0].Since = b.now.Add(-since)
		return s
	}
	b := newBench(t, nil)
	require.Zero(t, held(b.see(0, dead(b, time.Hour))))
	require.Equal(t, 1, held(b.see(10*time.Second, blind("s"))))
	require.Zero(t, held(b.see(10*time.Second, dead(b, time.Hour))), "it is known again")

	b = newBench(t, nil)
	b.see(0, dead(b, 0))
	require.Zero(t, held(b.see(time.Minute, blind("s"))), "the rules may not have seen it")
	require.Zero(t, held(b.see(15*time.Minute, blind("s"))))
	require.Equal(t, 1, held(b.see(5*time.Minute, blind("s"))), "what they say of an earlier outage they don't repeat for so long")
}

func TestOthersKnow(t *testing.T) {
	b := newBench(t, nil)
	b.see(0, snapshot("s", "a:down b:down c:down d:up"))
	id := func(member string) alerts.ID {
		return alerts.ID{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: member}
	}
	require.Zero(t, b.end([]alerts.ID{id("a"), id("unknown")}, b.now), "what is known is not for others to end")
	b.see(time.Second, blind("s"))
	require.Equal(t, 1, b.end([]alerts.ID{id("a"), id("a")}, b.now))
	require.Equal(t, 3, b.held())
	require.NotContains(t, names(b.see(10*time.Second, blind("s"))), "MemberDown s/g/a")
	require.Equal(t, []string{"MemberDown s/g/a"}, names(b.see(0, snapshot("s", "a:down b:down c:down d:up"))))
}

func TestAnAlertIsNewAgainAfterItWasOver(t *testing.T) {
	b := newBench(t, nil)
	b.see(0, snapshot("s", "a:down b:up"))
	b.posted(10*time.Minute, snapshot("s", "a:down b:up"))
	b.see(time.Second, snapshot("s", "a:up b:up"))
	again := snapshot("s", "a:down b:up")
	again.Members[0].Since = b.now
	posted := b.see(time.Second, again)
	require.Len(t, posted, 1)
	require.Equal(t, again.Members[0].Since, posted[0].Start)
	require.Equal(t, 12, b.posted(time.Minute, again))
}

func TestResolving(t *testing.T) {
	b := newBench(t, func(c *config.Alerting) { c.ResolveAfter = config.DurationOrNever(5 * time.Minute) })
	b.see(0, snapshot("s", "a:down b:up"))
	require.Zero(t, b.posted(5*time.Minute-10*time.Second, snapshot("s", "a:up b:up")))
	// It has to be up without a break.
	require.Len(t, b.see(0, snapshot("s", "a:down b:up")), 1)
	require.Zero(t, b.posted(5*time.Minute, snapshot("s", "a:up b:up")))
	over := b.see(b.schedule.tick(), snapshot("s", "a:up b:up"))
	require.Len(t, over, 1)
	require.Equal(t, b.now, over[0].End)
	require.Equal(t, 30, b.posted(5*time.Minute, snapshot("s", "a:up b:up")), "every 10 s for 5 minutes")
	require.Zero(t, b.posted(time.Minute, snapshot("s", "a:up b:up")))
	require.Empty(t, b.entries)
}

func TestResolvingAtOnce(t *testing.T) {
	b := newBench(t, func(c *config.Alerting) { c.ResolveAfter = 0 })
	b.see(0, snapshot("s", "a:down b:up"))
	over := b.see(time.Second, snapshot("s", "a:up b:up"))
	require.Len(t, over, 1)
	require.Equal(t, b.now, over[0].End)
	require.Zero(t, b.see(time.Second, snapshot("s", "a:down b:up"))[0].End)
}

// Whoever disables a dead member has seen that it is dead.
func TestAMemberThatGoesOutOfServiceIsOver(t *testing.T) {
	b := newBench(t, nil)
	b.see(0, snapshot("s", "a:down b:up"))
	b.see(time.Second, snapshot("s", "a:down:disabled b:up"))
	require.Zero(t, b.posted(time.Minute, snapshot("s", "a:down:disabled b:up")))
}

func TestARestartLosesNothing(t *testing.T) {
	before := newBench(t, nil)
	before.see(0, snapshot("s", "a:down b:up"), snapshot("gone", "c:down d:up"), snapshot("nova/cell1", "e:down f:up"))
	after := newBench(t, nil)
	after.ledger = newLedger(before.remember())
	// Nothing has been polled yet, one source was removed from the configuration, and one may still be found.
	found := newSurvey([]collector.Snapshot{blind("s")}, builder(nil), func(s string) bool { return s == "nova/cell1" })
	after.update(found, after.now)
	posted, _ := after.due(after.schedule, builder(nil), nil, after.now)
	require.ElementsMatch(t, []string{"MemberDown s/g/a", "MemberDown nova/cell1/g/e"}, names(posted))
	for _, a := range posted {
		require.Equal(t, began, a.Start)
	}
	require.Equal(t, 2, after.held())
}

func TestALatencyIsOfADeathThatWasSeen(t *testing.T) {
	b := newBench(t, nil)
	id := alerts.ID{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "a"}
	b.update(newSurvey([]collector.Snapshot{snapshot("s", "a:down b:down c:up")}, builder(nil), never), b.now)
	due, _ := b.due(b.schedule, builder(nil), deaths{id: b.now}, b.now)
	require.Len(t, due, 3)
	for _, a := range due {
		require.Equal(t, a.Labels["member"] == "a", !a.Detected.IsZero())
	}
}

func TestAStartIsNeverInTheFuture(t *testing.T) {
	b := newBench(t, nil)
	s := snapshot("s", "a:down b:up")
	s.Members[0].Since = b.now.Add(time.Hour)
	require.Equal(t, b.now, b.see(0, s)[0].Start)
}

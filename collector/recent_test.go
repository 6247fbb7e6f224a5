package collector

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// said returns what the past events are about.
func said(past []Event) []string {
	var all []string
	for _, e := range past {
		text := string(e.Type) + " " + e.Source + " " + e.Member.Name
		if e.HasLatency {
			text += " " + e.Latency.String()
		}
		if e.Err != nil {
			text += " " + e.Err.Error()
		}
		all = append(all, text)
	}
	return all
}

// The next process has the events of those before it, in order, and gives its own events greater IDs, also while its clock is behind.
func TestEventsSurviveARestart(t *testing.T) {
	lives(t,
		func(t *testing.T, b *bench, d *fakeDriver) {
			require.Empty(t, b.PastEvents(0))
			require.Zero(t, b.LastPastID())
			b.scrape(sec)
			d.say("x:up")
			b.scrape(sec)
			d.fail("away")
			b.scrape(sec)
		},
		func(t *testing.T, b *bench, d *fakeDriver) {
			require.Equal(t, []string{"death a y 1m0s", "source_lost a  it is broken"}, said(b.PastEvents(0)))
			require.Empty(t, b.happened(), "subscribers do not get them again")
			first := b.PastEvents(0)
			require.Equal(t, said(first)[1:], said(b.PastEvents(first[0].ID)))
			require.Empty(t, b.PastEvents(b.LastPastID()))
			b.env.events.lastID = 1 // The clock was set back.
			b.env.events.continueAfter(b.LastPastID())
			d.say("x:up y:up")
			b.scrape(sec)
			e := <-b.events
			require.Equal(t, EventRecovery, e.Type)
			require.Equal(t, b.LastPastID()+1, e.ID)
			require.Len(t, b.PastEvents(0), 2, "events of this process are not past")
		},
		func(t *testing.T, b *bench, _ *fakeDriver) {
			require.Len(t, b.PastEvents(0), 3)
			require.Equal(t, EventRecovery, b.PastEvents(0)[2].Type)
		},
	)
}

// A process that was killed leaves the events that are at least a second old.
func TestEventsOfAKilledProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, copied := t.TempDir(), t.TempDir()
		b := newBench(t, Options{StoragePath: folder})
		d := answering("x:up y:up z:up")
		b.apply(d)
		stop := b.background()
		b.scrape(sec)
		d.say("y:up z:up")
		b.scrape(sec)
		time.Sleep(saveEvery)
		synctest.Wait()
		d.say("z:up")
		b.scrape(sec)
		require.NoError(t, os.CopyFS(copied, os.DirFS(folder))) // as a killed process leaves it
		require.NoError(t, stop())

		next := newBench(t, Options{StoragePath: copied})
		next.apply(d)
		require.Equal(t, []string{"death a x 1m0s"}, said(next.PastEvents(0)))
		next.scrape(sec)
		require.Equal(t, []EventType{EventDeath}, next.happened(), "the death of y is found again, once")
		require.NoError(t, next.Close())
	})
}

// A reload keeps the events, in memory and in the state file. The state file has a bounded number of them.
func TestRecentEventsAreBounded(t *testing.T) {
	var r recent
	for i := range 5*keepRecent + 7 {
		r.add([]Event{{ID: int64(i + 1), Time: t0, Type: EventJoin, Member: drivers.Member{Group: "g", Name: strconv.Itoa(i)}}})
		require.LessOrEqual(t, len(r.events), 2*keepRecent)
	}
	newest := r.newest()
	require.Len(t, newest, keepRecent)
	require.Equal(t, int64(5*keepRecent+7), newest[keepRecent-1].ID)
	require.Equal(t, int64(4*keepRecent+8), newest[0].ID)
}

func TestAReloadKeepsTheEvents(t *testing.T) {
	lives(t,
		func(_ *testing.T, b *bench, d *fakeDriver) {
			b.scrape(sec)
			d.say("x:up")
			b.scrape(sec)
		},
		func(t *testing.T, b *bench, _ *fakeDriver) {
			cfg := config("a", answering("x:up"))
			cfg.Fingerprint = "another"
			require.NoError(t, b.Apply([]SourceConfig{cfg}))
			require.Equal(t, []string{"death a y 1m0s"}, said(b.PastEvents(0)))
		},
		func(t *testing.T, b *bench, _ *fakeDriver) { require.Len(t, b.PastEvents(0), 1) },
	)
}

// A source that was removed and returns has events of this process in its state file. Subscribers got these.
func TestASourceThatReturnsKeepsTheEvents(t *testing.T) {
	lives(t,
		func(_ *testing.T, b *bench, d *fakeDriver) {
			b.scrape(sec)
			d.say("x:up")
			b.scrape(sec)
		},
		func(t *testing.T, b *bench, d *fakeDriver) {
			d.say("x:up")
			b.scrape(sec)
			d.say("")
			b.scrape(sec)
			require.Equal(t, []EventType{EventDeath}, b.happened())
			require.NoError(t, b.Apply(nil))
			b.apply(answering("y:up"))
			require.Equal(t, []string{"death a y 1m0s"}, said(b.PastEvents(0)))
			b.scrape(sec)
			require.Equal(t, []EventType{EventRecovery}, b.happened())
		},
		func(t *testing.T, b *bench, _ *fakeDriver) {
			require.Equal(t, []string{"death a y 1m0s", "death a x 1m0s", "recovery a y 2m0s"}, said(b.PastEvents(0)))
		},
	)
}

// The state file of an earlier version has no events.
func TestAStateWithoutEvents(t *testing.T) {
	files := testFiles(t, t.TempDir())
	saved := savedOf("s")
	require.NoError(t, files.save(saved))
	text, err := os.ReadFile(files.name("s"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "events")
	var r recent
	r.restore("s", load(files, "s", t0, hour).Events, newBroadcast(nil))
	require.Zero(t, r.lastPastID())
	require.Empty(t, r.newest())
	require.Equal(t, []tracker.SavedEvent(nil), r.events)
}

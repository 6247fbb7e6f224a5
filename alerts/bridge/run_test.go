package bridge

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// am is the URL of a receiver.
const am = "http://am:9093"

// in runs a test in fake time, with a bridge that posts to a receiver.
func in(t *testing.T, test func(t *testing.T, r *rig, f *receiver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &receiver{}
		r := newRig(t, t.TempDir())
		r.transport = f
		test(t, r, f)
	})
}

// Nobody is told of a death once it is over, not even those who could not be told at the time.
func TestRecoveryWhileAlertmanagerIsAway(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:up b:up c:up d:up e:up"))
		r.configure(nil, am)
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.down = true })
		r.watched.see(snapshot("s", "a:down b:down c:up d:up e:up"))
		time.Sleep(10 * time.Minute)
		r.watched.see(snapshot("s", "a:up b:down c:up d:up e:up"))
		time.Sleep(time.Minute)
		f.set(func() { f.down = false })
		time.Sleep(time.Minute)
		require.NotContains(t, about(f.taken()), "MemberDown s/g/a")
		require.InDelta(t, 1, r.value("firing", am), 0)
	})
}

// A death is posted as soon as those of the same poll have had the time to come along.
func TestADeathIsPostedAtOnce(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:up b:up c:up d:up e:down"))
		r.configure(func(c *config.Alerting) {
			c.ExternalLabels = map[string]string{"cluster": "prod", "replica": "a"}
			c.ExternalURL = "https://exporter/"
		}, am)
		defer r.run()()
		time.Sleep(7 * time.Second)
		f.taken()
		require.Zero(t, r.value("delivery_latency_seconds", am), "nobody saw it die")

		died := time.Now()
		r.watched.see(snapshot("s", "a:down b:up c:up d:up e:down"))
		time.Sleep(coalesce)
		synctest.Wait()
		require.Equal(t, []time.Time{died.Add(coalesce)}, f.at)
		got := f.taken()
		require.Equal(t, []string{"Degraded s/g", "MemberDown s/g/a"}, about(got))
		require.Equal(t, testserver.Alert{
			Labels: map[string]string{
				"alertname": "ServiceGroupMemberDown", "source": "s", "group": "g", "member": "a", "host": "a",
				"severity": "warning", "scope": "member", "cluster": "prod",
			},
			Annotations: map[string]string{
				"summary": "a in group g is down",
				"description": "a in group g of source s has given no proof of life for as long as a member may be silent. " +
					"It is in service: nobody disabled it or forced it down.",
				"runbook_url":   "https://exporter/runbooks/ServiceGroupMemberDown",
				"dashboard_url": "https://exporter/member?source=s&group=g&member=a",
			},
			GeneratorURL: "https://exporter/member?group=g&member=a&source=s",
			StartsAt:     died.UTC(), EndsAt: died.Add(coalesce + 30*time.Second).UTC(),
		}, got[1])
		require.InDelta(t, 1, r.value("delivery_latency_seconds", am), 0)
		time.Sleep(time.Minute)
		require.InDelta(t, 1, r.value("delivery_latency_seconds", am), 0, "re-posts have none")
	})
}

// 10,000 deaths in one poll are no more posts than they have to be, and what inhibits them goes first.
func TestAStorm(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", many(10_000, "up")))
		r.configure(nil, am)
		defer r.run()()
		time.Sleep(time.Second)
		r.watched.see(snapshot("s", many(10_000, "down")))
		time.Sleep(time.Second)
		posts := f.batches()
		require.Len(t, posts, 40)
		require.ElementsMatch(t, []string{"MassFailure s", "Degraded s/g", "Outage s/g"}, about(posts[0][:3]))
		require.InDelta(t, 10_003, r.value("firing", am), 0)
		require.GreaterOrEqual(t, r.value("delivery_latency_seconds", am), float64(eventBuffer))
	})
}

// many gives that many members in a state.
func many(n int, state string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "m%05d:%s ", i, state)
	}
	return b.String()
}

// An Alertmanager that hangs delays nobody but itself.
func TestAFrozenAlertmanager(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:up b:up c:up"))
		r.configure(nil, am, "http://other:9093")
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.frozen = "other:9093" })
		died := time.Now()
		r.watched.see(snapshot("s", "a:down b:up c:up"))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []time.Time{died.Add(coalesce)}, f.at)
		require.Equal(t, []string{"am:9093"}, f.hosts)
		f.set(func() { f.frozen = "" })
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Contains(t, f.hosts, "other:9093")
	})
}

// Another configuration is told of everything, by its own labels, and nothing is left of the one before. That no goroutine
// is left either is what synctest looks after.
func TestAnotherConfiguration(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		none := r.series()
		r.watched.see(snapshot("s", "a:down b:up c:up"))
		r.configure(nil, am, "http://gone:9093")
		defer r.run()()
		time.Sleep(time.Second)
		two := r.series()
		f.taken()
		r.configure(func(c *config.Alerting) { c.Labels = map[string]string{"team": "cloud"} }, am)
		synctest.Wait()
		require.Equal(t, []string{"am:9093"}, f.hosts)
		got := f.taken()
		require.Equal(t, []string{"MemberDown s/g/a"}, about(got))
		require.Equal(t, "cloud", got[0].Labels["team"])
		require.Equal(t, none+(two-none)/2, r.series())
		require.Zero(t, r.value("sent_total", "gone"))
		time.Sleep(time.Minute)
		require.InDelta(t, 1, r.value("firing", am), 0)

		// One that nobody takes over ends as well.
		r.configure(nil, "http://never:9093")
		r.configure(nil)
		synctest.Wait()
		require.Equal(t, none, r.series())
		f.taken()
		time.Sleep(time.Hour)
		require.Empty(t, f.taken())
	})
}

// The end of the program is not the end of what fires, and the next one knows of it also while it can't see.
func TestARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, f := t.TempDir(), &receiver{}
		before := newRig(t, folder)
		before.transport = f
		before.watched.see(snapshot("s", "a:down b:up c:up"), snapshot("gone", "a:down b:up"))
		before.configure(nil, am)
		stop := before.run()
		time.Sleep(time.Minute)
		stop()
		require.NotEmpty(t, f.taken())
		time.Sleep(time.Minute)

		after := newRig(t, folder)
		after.transport = f
		after.watched.see(blind("s"))
		after.configure(nil, am)
		defer after.run()()
		synctest.Wait()
		require.Equal(t, []string{"MemberDown s/g/a"}, about(f.taken()))
		require.InDelta(t, 1, after.value("held", ""), 0)
		after.watched.see(snapshot("s", "a:up b:up c:up"))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.InDelta(t, 0, after.value("held", ""), 0)
		require.InDelta(t, 0, after.value("firing", am), 0)
		require.Zero(t, f.ended, "nothing is resolved")
	})
}

func TestTheEndIsTold(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:down b:up c:up"))
		r.configure(func(c *config.Alerting) { c.ResolveAfter = 0 }, am)
		defer r.run()()
		time.Sleep(time.Second)
		f.taken()
		r.watched.see(snapshot("s", "a:up b:up c:up"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := f.taken()
		require.Equal(t, []string{"MemberDown s/g/a"}, about(got[:1]))
		require.Len(t, got, f.ended)
		require.InDelta(t, 0, r.value("firing", am), 0)
	})
}

// When the collector ends, what is known goes on until the program ends too.
func TestTheCollectorEnds(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:down b:up c:up"))
		r.configure(nil, am)
		defer r.run()()
		time.Sleep(time.Second)
		r.watched.end()
		time.Sleep(time.Minute)
		require.Greater(t, len(f.taken()), 10)
	})
}

// Without an Alertmanager nothing is computed, kept or shown.
func TestNoAlertmanager(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:up b:up c:up"))
		r.configure(nil)
		defer r.run()()
		r.watched.see(snapshot("s", "a:down b:up c:up"))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, r.ledger.entries)
		require.Empty(t, f.taken())
		require.NoFileExists(t, r.saver.store.file)
		require.Empty(t, r.log.String())
	})
}

// What fired when there last was an Alertmanager is old when there is one again.
func TestAlertmanagerComesAndGoes(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:down b:up c:up"))
		r.configure(nil, am)
		defer r.run()()
		time.Sleep(time.Second)
		r.watched.see(blind("s"))
		time.Sleep(time.Minute)
		require.InDelta(t, 1, r.value("held", ""), 0)
		r.configure(nil)
		time.Sleep(time.Hour)
		require.InDelta(t, 0, r.value("held", ""), 0)
		require.Empty(t, r.saver.store.load())
		f.taken()
		r.configure(nil, am)
		time.Sleep(time.Minute)
		require.Empty(t, f.taken())
	})
}

// A bridge that is not told what to do does nothing, whatever it remembers.
func TestNoConfiguration(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.ledger = newLedger([]rememberedAlert{{Alert: alerts.Outage, Source: "s", Group: "g", Start: began}})
		defer r.run()()
		time.Sleep(time.Hour)
		require.Empty(t, f.taken())
	})
}

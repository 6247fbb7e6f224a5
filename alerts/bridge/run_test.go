package bridge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// am is the URL of the receiver.
const am = "http://am:9093"

// inFakeTime runs a test in fake time, with a bridge that posts to a receiver.
func inFakeTime(t *testing.T, test func(t *testing.T, r *testBridge, f *receiver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &receiver{}
		r := newTestBridge(t, t.TempDir())
		r.transport = f
		test(t, r, f)
	})
}

// A death that is over is not posted, also where it could not be posted in time.
func TestRecoveryWhileAlertmanagerIsAway(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:up b:up c:up d:up e:up"))
		r.configure(nil, am)
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.down = true })
		r.fake.set(snapshot("s", "a:down b:down c:up d:up e:up"))
		time.Sleep(10 * time.Minute)
		r.fake.set(snapshot("s", "a:up b:down c:up d:up e:up"))
		time.Sleep(time.Minute)
		f.set(func() { f.down = false })
		time.Sleep(time.Minute)
		require.NotContains(t, about(f.received()), "MemberDown s/g/a")
		require.InDelta(t, 1, r.value("alerts_firing", am), 0)
	})
}

// A death is posted as soon as the events of the same poll have arrived.
func TestDeathIsPostedAtOnce(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:up b:up c:up d:up e:down"))
		r.configure(func(c *config.Alerting) {
			c.ExternalLabels = map[string]string{"cluster": "prod", "replica": "a"}
			c.ExternalURL = "https://exporter/"
		}, am)
		defer r.run()()
		time.Sleep(7 * time.Second)
		f.received()
		require.Zero(t, r.value("notifications_latency_seconds", am), "its death was not seen")

		died := time.Now()
		r.fake.set(snapshot("s", "a:down b:up c:up d:up e:down"))
		time.Sleep(coalesce)
		synctest.Wait()
		require.Equal(t, []time.Time{died.Add(coalesce)}, f.at)
		got := f.received()
		require.Equal(t, []string{"Degraded s/g", "MemberDown s/g/a"}, about(got))
		require.Equal(t, testserver.Alert{
			Labels: map[string]string{
				"alertname": "ServiceGroupMemberDown", "source": "s", "group": "g", "member": "a", "host": "a",
				"severity": "critical", "scope": "member", "cluster": "prod",
			},
			Annotations: map[string]string{
				"summary": "a in group g is down",
				"description": "a in group g of source s is down by the rule of its service: its last heartbeat is too old, or its " +
					"znode is gone. It is in service: no operator disabled it or forced it down while it was up. " +
					"It is not known whether its host is down: no other service on the host shows that.",
				"runbook_url":   "https://exporter/runbooks/ServiceGroupMemberDown",
				"dashboard_url": "https://exporter/member?source=s&group=g&member=a",
				"host_answers":  "unknown",
			},
			GeneratorURL: "https://exporter/member?group=g&member=a&source=s",
			StartsAt:     died.UTC(), EndsAt: died.Add(coalesce + 30*time.Second).UTC(),
		}, got[1])
		require.InDelta(t, 1, r.value("notifications_latency_seconds", am), 0)
		time.Sleep(time.Minute)
		require.InDelta(t, 1, r.value("notifications_latency_seconds", am), 0, "repetitions have none")
	})
}

// 10,000 deaths in one poll are 40 posts, and alerts that inhibit others are first.
func TestManyDeaths(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", many(10_000, "up")))
		r.configure(nil, am)
		defer r.run()()
		time.Sleep(time.Second)
		r.fake.set(snapshot("s", many(10_000, "down")))
		time.Sleep(time.Second)
		posts := f.batches()
		require.Len(t, posts, 40)
		require.ElementsMatch(t, []string{"MassFailure s", "Degraded s/g", "Outage s/g"}, about(posts[0][:3]))
		require.InDelta(t, 10_003, r.value("alerts_firing", am), 0)
		require.GreaterOrEqual(t, r.value("notifications_latency_seconds", am), float64(eventBuffer))
	})
}

// many returns n members in a state.
func many(n int, state string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "m%05d:%s ", i, state)
	}
	return b.String()
}

// An Alertmanager that hangs does not delay the other one.
func TestFrozenAlertmanager(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:up b:up c:up"))
		r.configure(nil, am, "http://other:9093")
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.frozen = "other:9093" })
		died := time.Now()
		r.fake.set(snapshot("s", "a:down b:up c:up"))
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

// With another configuration all alerts are posted again, with its labels, and no series of the old one remains. synctest
// checks that no goroutine remains.
func TestReload(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		none := r.series()
		r.fake.set(snapshot("s", "a:down b:up c:up"))
		r.configure(nil, am, "http://gone:9093")
		defer r.run()()
		time.Sleep(time.Second)
		two := r.series()
		f.received()
		r.configure(func(c *config.Alerting) { c.Labels = map[string]string{"team": "cloud"} }, am)
		synctest.Wait()
		require.Equal(t, []string{"am:9093"}, f.hosts)
		got := f.received()
		require.Equal(t, []string{"MemberDown s/g/a"}, about(got))
		require.Equal(t, "cloud", got[0].Labels["team"])
		require.Equal(t, none+(two-none)/2, r.series())
		require.Zero(t, r.value("notifications_sent_total", "gone"))
		time.Sleep(time.Minute)
		require.InDelta(t, 1, r.value("alerts_firing", am), 0)

		// A configuration that was never in use is closed too.
		r.configure(nil, "http://never:9093")
		r.configure(nil)
		synctest.Wait()
		require.Equal(t, none, r.series())
		f.received()
		time.Sleep(time.Hour)
		require.Empty(t, f.received())
	})
}

// Alerts keep firing after a restart, also while their source can't be read.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, f := t.TempDir(), &receiver{}
		before := newTestBridge(t, folder)
		before.transport = f
		before.fake.set(snapshot("s", "a:down b:up c:up"), snapshot("gone", "a:down b:up"))
		before.configure(nil, am)
		stop := before.run()
		time.Sleep(time.Minute)
		stop()
		require.NotEmpty(t, f.received())
		time.Sleep(time.Minute)

		after := newTestBridge(t, folder)
		after.transport = f
		after.fake.set(unread("s"))
		after.configure(nil, am)
		defer after.run()()
		synctest.Wait()
		require.Equal(t, []string{"MemberDown s/g/a"}, about(f.received()))
		require.InDelta(t, 1, after.value("alerts_retained", ""), 0)
		after.fake.set(snapshot("s", "a:up b:up c:up"))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.InDelta(t, 0, after.value("alerts_retained", ""), 0)
		require.InDelta(t, 0, after.value("alerts_firing", am), 0)
		require.Zero(t, f.ended, "the bridge does not resolve")
	})
}

func TestEndIsPosted(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:down b:up c:up"))
		r.configure(func(c *config.Alerting) { c.ResolveAfter = 0 }, am)
		defer r.run()()
		time.Sleep(time.Second)
		f.received()
		r.fake.set(snapshot("s", "a:up b:up c:up"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := f.received()
		require.Equal(t, []string{"MemberDown s/g/a"}, about(got[:1]))
		require.Len(t, got, f.ended)
		require.InDelta(t, 0, r.value("alerts_firing", am), 0)
	})
}

// When the collector ends, alerts are repeated until the program ends.
func TestCollectorEnds(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:down b:up c:up"))
		r.configure(nil, am)
		defer r.run()()
		time.Sleep(time.Second)
		r.fake.end()
		time.Sleep(time.Minute)
		require.Greater(t, len(f.received()), 10)
	})
}

// Without an Alertmanager nothing is evaluated, saved or logged.
func TestNoAlertmanager(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:up b:up c:up"))
		r.configure(nil)
		defer r.run()()
		r.fake.set(snapshot("s", "a:down b:up c:up"))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, r.state.entries)
		require.Empty(t, f.received())
		require.NoFileExists(t, r.file.path)
		require.Empty(t, r.log.String())
	})
}

// The state is cleared while there is no Alertmanager.
func TestAlertmanagersAreRemovedAndAdded(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.fake.set(snapshot("s", "a:down b:up c:up"))
		r.configure(nil, am)
		defer r.run()()
		time.Sleep(time.Second)
		r.fake.set(lost(snapshot("s", "a:down b:up c:up")))
		time.Sleep(time.Minute)
		require.InDelta(t, 1, r.value("alerts_retained", ""), 0)
		r.configure(nil)
		time.Sleep(time.Hour)
		require.InDelta(t, 0, r.value("alerts_retained", ""), 0)
		require.Empty(t, r.file.load().Firing)
		f.received()
		r.configure(nil, am)
		time.Sleep(time.Minute)
		require.Contains(t, about(f.received()), "MemberDown s/g/a", "it is down by the last poll")
	})
}

// A bridge without a setup posts nothing, whatever its state.
func TestNoConfiguration(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		r.state = newState(savedState{Firing: []savedAlert{{Alert: alerts.Outage, Source: "s", Group: "g", Start: began}}})
		defer r.run()()
		time.Sleep(time.Hour)
		require.Empty(t, f.received())
	})
}

func TestPrepareFails(t *testing.T) {
	r := newTestBridge(t, "")
	before := r.series()
	c := config.DefaultAlerting()
	c.Alertmanagers = append(c.Alertmanagers, configOf(t, am), configOf(t, "http://other:9093"))
	c.Alertmanagers[1].TLSConfig.CAFile = "absent.pem"
	_, err := r.Prepare(&c)
	require.ErrorContains(t, err, "alerting.alertmanagers[1]: setting up HTTP for http://other:9093: ")
	require.Equal(t, before, r.series())
}

// An upgrade keeps the alerts in a state file that commit 85fa32d has written.
func TestUpgrade(t *testing.T) {
	old, err := os.ReadFile("testdata/alerts-85fa32d.json")
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		folder, f := t.TempDir(), &receiver{}
		require.NoError(t, os.WriteFile(filepath.Join(folder, "alerts.json"), old, 0o600))
		r := newTestBridge(t, folder)
		r.transport = f
		r.fake.set(unread("zk"), unread("nova/cell1"))
		r.configure(nil, am)
		stop := r.run()
		synctest.Wait()
		posted := f.received()
		require.ElementsMatch(t, []string{
			"MassFailure nova/cell1", "Outage nova/cell1/compute", "Degraded nova/cell1/compute",
			"MemberDown nova/cell1/compute/c1", "MemberDown nova/cell1/compute/c2", "MemberDown nova/cell1/compute/c3",
			"MemberDown nova/cell1/compute/c4", "MemberDown nova/cell1/compute/c5", "MemberDown zk/web/w1",
		}, about(posted))
		for _, a := range posted {
			require.Equal(t, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), a.StartsAt)
		}
		require.InDelta(t, 9, r.value("alerts_retained", ""), 0)
		require.Empty(t, r.log.String())

		r.fake.set(snapshot("zk", "web/w1:down web/w2:up web/w3:up"), snapshot("nova/cell1", many(6, "up")))
		time.Sleep(time.Minute)
		stop()
		written, err := os.ReadFile(filepath.Join(folder, "alerts.json"))
		require.NoError(t, err)
		require.JSONEq(t, `{"version":1,"firing":[{"alert":"ServiceGroupMemberDown","source":"zk","group":"web","member":"w1",`+
			`"host":"w1","start":"2000-01-01T00:00:00Z","cause":"unknown"}]}`, string(written))
	})
}

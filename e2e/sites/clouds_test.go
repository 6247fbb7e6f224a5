package sites

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// By rules and bridge, a death is notified once, with the label of the right cloud, although another cloud has the same names. The
// label is an external label of a Prometheus for each cloud, or a label of targets.
func TestClouds(t *testing.T) {
	t.Parallel()
	t.Run("external label", func(t *testing.T) { t.Parallel(); testClouds(t, 1, true) })
	t.Run("target label", func(t *testing.T) { t.Parallel(); testClouds(t, 1, false) })
}

func testClouds(t *testing.T, n int, external bool) {
	am, hook := newPager(t)
	var clouds []*cloud
	var targets []string
	for i := range n {
		name := string(rune('a' + i))
		c := newCloud(t, "nova", fmt.Sprintf("alerting: {alertmanagers: [{url: %q}], external_labels: {cluster: %s}, resend_interval: 1s}\n", am.URL(), name))
		clouds = append(clouds, c)
		targets = append(targets, target(c, name))
	}
	// watchers[i] is the Prometheus of clouds[i].
	var watchers []*prometheus
	if external {
		for i, c := range clouds {
			text := scrapeJob(c.rules(), fmt.Sprintf("{targets: [%q]}", c.web)) + sendTo(am)
			watchers = append(watchers, newPrometheusOf(t, string(rune('a'+i)), text))
			watchers[i].ready(1)
		}
	} else {
		p := newPrometheus(t, scrapeJob(clouds[0].rules(), strings.Join(targets, ","))+sendTo(am))
		p.ready(n)
		for range clouds {
			watchers = append(watchers, p)
		}
	}

	clouds[0].die("c1")
	hook.Wait("notification", func([]testserver.Notification) bool { return len(notified(hook, "ServiceGroupMemberDown")) > 0 })
	watchers[0].waitFor(`count(ALERTS{alertname="ServiceGroupMemberDown", alertstate="firing"})`, 1)
	if n == 2 {
		last := clouds[1]
		last.die("s1", "s2", "c2")
		hasReceived(t, am, "b Outage scheduler")
		watchers[1].waitFor(`count(ALERTS{alertname="ServiceGroupMemberDown", member!="c1"})`, 3)
	}
	for _, p := range watchers {
		p.evaluate() // The rules post in each evaluation.
	}
	want := []string{"firing a MemberDown compute c1"}
	if n == 2 {
		want = append(want, "firing b MemberDown compute c2", "firing b MemberDown scheduler s1", "firing b MemberDown scheduler s2")
		hook.Wait("outage", func([]testserver.Notification) bool { return len(notified(hook, "ServiceGroupOutage")) > 0 })
	}
	hook.Wait("all", func([]testserver.Notification) bool {
		return len(notified(hook, "ServiceGroupMemberDown")) >= len(want)
	})
	require.Equal(t, want, notified(hook, "ServiceGroupMemberDown"))
	if n == 2 {
		require.Equal(t, []string{"firing b Outage scheduler"}, notified(hook, "ServiceGroupOutage"))
	}
}

// An exporter of one cloud that leaves service discovery is reported while the exporter of the other one stays.
func TestCloudLeaves(t *testing.T) {
	t.Parallel()
	a, b := newCloud(t, "nova", ""), newCloud(t, "nova", "")
	rules := a.rules()
	p := newPrometheus(t, scrapeJob(rules, target(a, "a")+","+target(b, "b")))
	p.ready(2)
	p.waitForAlerts()
	p.Reload(everySecond("", scrapeJob(rules, target(a, "a"))))
	p.waitForAlerts("b DataMissing compute", "b DataMissing scheduler", "b ExporterAbsent")
	a.die("c2")
	p.stays("a MemberDown compute c2", "b DataMissing compute", "b DataMissing scheduler", "b ExporterAbsent")
}

// While the exporter of one cloud is away, its dead members stay dead, and another cloud with equal names changes nothing.
func testCloudIsAway(t *testing.T) {
	t.Parallel()
	a, b := newCloud(t, "nova", ""), newCloud(t, "nova", "")
	p := newPrometheus(t, scrapeJob(a.rules(), target(a, "a")+","+target(b, "b")))
	p.ready(2)
	b.die("c1")
	p.waitForAlerts("b MemberDown compute c1")
	b.exporter.Kill()
	p.stays("b DataMissing compute", "b DataMissing scheduler", "b ExporterAllDown", "b MemberDown compute c1")
	b.exporter.Start()
	p.stays("b MemberDown compute c1")
}

package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// telling tells a webhook of everything at once.
const telling = `route: {receiver: hook, group_by: [alertname, group], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "%s/hook"}]}]
`

// quick lets everything happen in seconds.
func quick(c *config.Alerting) {
	c.ResendInterval = drivers.Duration(time.Second)
	c.ScrapeInterval, c.EvaluationInterval = drivers.Duration(time.Second), drivers.Duration(time.Second)
}

// longDown gives a source of which a member has been down for an hour.
func longDown() collector.Snapshot {
	s := snapshot("s", "a:down b:up c:up")
	s.Members[0].Since = time.Now().Add(-time.Hour)
	return s
}

// Of two exporters that post the same, nobody notices that there are two.
func TestTwoExporters(t *testing.T) {
	t.Parallel()
	hook := testserver.Webhook(t)
	server := testserver.Alertmanager(t, fmt.Sprintf(telling, hook.URL()))
	one, other := newRig(t, ""), newRig(t, "")
	for _, r := range []*rig{one, other} {
		r.configure(quick, server.URL())
		r.watched.see(snapshot("s", "a:up b:up c:up"))
		r.run()
	}
	for _, r := range []*rig{one, other} {
		eventually(t, "the bridge", func() bool { return r.value("alertmanager_up", server.URL()) == 1 })
	}
	one.watched.see(snapshot("s", "a:down b:up c:up"))
	other.watched.see(snapshot("s", "a:down b:up c:up"))
	for _, r := range []*rig{one, other} {
		eventually(t, "re-posts", func() bool { return r.value("sent_total", server.URL()) >= 3 })
	}
	require.Len(t, server.Alerts(), 1)
	told := hook.All()
	require.Len(t, told, 1)
	require.Len(t, told[0].Alerts, 1)
	require.Equal(t, "firing", told[0].Alerts[0].Status)
}

// One exporter is blind and holds an alert. The other, and by it Prometheus, sees that it is over.
func TestBlindExporterLearnsOfARecovery(t *testing.T) {
	t.Parallel()
	first, second := alertmanagerOf(t), alertmanagerOf(t)
	folder := t.TempDir()
	r := newRig(t, folder)
	r.configure(quick, first.URL(), second.URL())
	r.watched.see(longDown())
	stop := r.run()
	for _, server := range []*testserver.AM{first, second} {
		eventually(t, "the alert", func() bool { return len(server.Alerts()) == 1 })
	}
	r.watched.see(blind("s"))
	eventually(t, "blindness", func() bool { return r.value("held", "") == 1 })

	// An Alertmanager that was restarted has forgotten it, which is another matter.
	first.Kill()
	first.Start()
	eventually(t, "the alert again", func() bool { return len(first.Alerts()) == 1 })
	sent := r.value("sent_total", "")
	eventually(t, "re-posts", func() bool { return r.value("sent_total", "") >= sent+6 })
	require.InDelta(t, 1, r.value("held", ""), 0)
	require.Len(t, first.Alerts(), 1)

	// Prometheus says so again and again, to whom it reaches.
	end := testserver.Alert{Labels: first.Alerts()[0].Labels, StartsAt: time.Now().Add(-time.Hour), EndsAt: time.Now()}
	eventually(t, "the end", func() bool {
		first.Post(end)
		return r.value("held", "") == 0
	})
	eventually(t, "everybody's end", func() bool { return len(first.Alerts()) == 0 && len(second.Alerts()) == 0 })
	require.Contains(t, r.log.String(), `msg="held alerts are over: others, who can read their source, have ended them in Alertmanager" component=bridge alerts=1`)

	// That it is over is remembered too.
	stop()
	again := newRig(t, folder)
	again.configure(quick, first.URL())
	again.watched.see(blind("s"))
	again.run()
	eventually(t, "the bridge", func() bool { return again.value("alertmanager_up", first.URL()) == 1 })
	require.InDelta(t, 0, again.value("held", ""), 0)
	again.watched.see(longDown())
	eventually(t, "what is seen is posted", func() bool { return len(first.Alerts()) == 1 })
}

// alertmanagerOf starts an Alertmanager that tells nobody.
func alertmanagerOf(t *testing.T) *testserver.AM {
	t.Helper()
	return testserver.Alertmanager(t, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
}

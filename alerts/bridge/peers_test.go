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

// notifyAtOnce is a configuration of Alertmanager that notifies a webhook of everything at once.
const notifyAtOnce = `route: {receiver: hook, group_by: [alertname, group], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "%s/hook"}]}]
`

// quick sets intervals of a second.
func quick(c *config.Alerting) {
	c.ResendInterval = drivers.Duration(time.Second)
	c.ScrapeInterval, c.EvaluationInterval = drivers.Duration(time.Second), drivers.Duration(time.Second)
}

// longDown returns a source with a member that has been down for an hour.
func longDown() collector.Snapshot {
	s := snapshot("s", "a:down b:up c:up")
	s.Members[0].Since = time.Now().Add(-time.Hour)
	return s
}

// Two exporters that post the same alert cause one notification.
func TestTwoExporters(t *testing.T) {
	t.Parallel()
	hook := testserver.Webhook(t)
	server := testserver.Alertmanager(t, fmt.Sprintf(notifyAtOnce, hook.URL()))
	one, other := newTestBridge(t, ""), newTestBridge(t, "")
	for _, r := range []*testBridge{one, other} {
		r.configure(quick, server.URL())
		r.fake.set(snapshot("s", "a:up b:up c:up"))
		r.run()
	}
	for _, r := range []*testBridge{one, other} {
		eventually(t, "the bridge", func() bool { return r.value("notifications_alertmanager_up", server.URL()) == 1 })
	}
	one.fake.set(snapshot("s", "a:down b:up c:up"))
	other.fake.set(snapshot("s", "a:down b:up c:up"))
	for _, r := range []*testBridge{one, other} {
		eventually(t, "re-posts", func() bool { return r.value("notifications_sent_total", server.URL()) >= 3 })
	}
	require.Len(t, server.Alerts(), 1)
	notified := hook.Wait("notification", func(all []testserver.Notification) bool { return len(all) > 0 })
	require.Len(t, notified, 1)
	require.Len(t, notified[0].Alerts, 1)
	require.Equal(t, "firing", notified[0].Alerts[0].Status)
}

// An exporter that can't read its source retains an alert, until Prometheus resolves it because another exporter can.
func TestRetainedAlertIsResolvedElsewhere(t *testing.T) {
	t.Parallel()
	first, second := startAlertmanager(t), startAlertmanager(t)
	folder := t.TempDir()
	r := newTestBridge(t, folder)
	r.configure(quick, first.URL(), second.URL())
	r.fake.set(longDown())
	stop := r.run()
	for _, server := range []*testserver.AM{first, second} {
		eventually(t, "the alert", func() bool { return len(server.Alerts()) == 1 })
	}
	r.fake.set(lost(longDown()))
	eventually(t, "a retained alert", func() bool { return r.value("alerts_retained", "") == 1 })

	// A restarted Alertmanager does not have the alert. That does not mean that it was resolved.
	first.Kill()
	first.Start()
	eventually(t, "the alert again", func() bool { return len(first.Alerts()) == 1 })
	sent := r.value("notifications_sent_total", "")
	eventually(t, "re-posts", func() bool { return r.value("notifications_sent_total", "") >= sent+6 })
	require.InDelta(t, 1, r.value("alerts_retained", ""), 0)
	require.Len(t, first.Alerts(), 1)

	// Prometheus repeats the end, to one of the two Alertmanagers.
	end := testserver.Alert{Labels: first.Alerts()[0].Labels, StartsAt: time.Now().Add(-time.Hour), EndsAt: time.Now()}
	eventually(t, "the end", func() bool {
		first.Post(end)
		return r.value("alerts_retained", "") == 0
	})
	eventually(t, "the end in both", func() bool { return len(first.Alerts()) == 0 && len(second.Alerts()) == 0 })
	require.Contains(t, r.log.String(), `msg="Retained alerts ended: another sender has resolved them in Alertmanager" component=bridge alerts=1`)

	// The end is saved too.
	stop()
	again := newTestBridge(t, folder)
	again.configure(quick, first.URL())
	again.fake.set(lost(longDown()))
	again.run()
	eventually(t, "the bridge", func() bool { return again.value("notifications_alertmanager_up", first.URL()) == 1 })
	require.InDelta(t, 0, again.value("alerts_retained", ""), 0)
	again.fake.set(longDown())
	eventually(t, "a death that is seen is posted", func() bool { return len(first.Alerts()) == 1 })
}

// startAlertmanager starts an Alertmanager that sends no notifications.
func startAlertmanager(t *testing.T) *testserver.AM {
	t.Helper()
	return testserver.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
}

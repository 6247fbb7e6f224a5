package sites

import (
	"fmt"
	"slices"
	"testing"

	"servicegroup_exporter/internal/testserver"
)

// route notifies about each alert name, cluster, source and group apart, as alerts/alertmanager.yml does.
const route = `route:
  receiver: pager
  group_by: [alertname, cluster, source, group]
  group_wait: 2s
  group_interval: 2s
  repeat_interval: 24h
  routes: [{receiver: none, matchers: [alertname="ServiceGroupWatchdog"]}]
receivers:
  - name: none
  - name: pager
    webhook_configs: [{url: %q}]
`

// newPager starts an Alertmanager with a receiver.
func newPager(t *testing.T) (*testserver.AM, *testserver.Notifications) {
	t.Helper()
	hook := testserver.Webhook(t)
	return testserver.Alertmanager(t, fmt.Sprintf(route, hook.URL())), hook
}

// sendTo is the section of prometheus.yml that sends alerts to an Alertmanager.
func sendTo(a *testserver.AM) string {
	return fmt.Sprintf("alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", a.Addr())
}

// notified returns all notifications about the alert with a name, each as its status and alerts: "firing a MemberDown compute c1".
func notified(hook *testserver.Notifications, name string) (list []string) {
	for _, n := range hook.All() {
		if n.CommonLabels["alertname"] != name {
			continue
		}
		for _, a := range n.Alerts {
			list = append(list, a.Status+" "+describe(a.Labels))
		}
	}
	slices.Sort(list)
	return list
}

// hasReceived waits until Alertmanager has an alert with a description from both rules and bridge, or only from the rules.
func hasReceived(t *testing.T, a *testserver.AM, description string) {
	t.Helper()
	testserver.Eventually(t, func() bool {
		return slices.ContainsFunc(a.Alerts(), func(alert testserver.StoredAlert) bool { return describe(alert.Labels) == description })
	}, patience, pause, "Alertmanager has %s", description)
}

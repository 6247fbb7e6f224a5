package sites

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The Prometheus Operator adds namespace="…" to the route and to the inhibitions of each AlertmanagerConfig. With the namespace in
// alerting.labels, every alert of the rules and of the bridge has it, so that the team's receiver gets them all, and each once.
func TestRouteByNamespace(t *testing.T) {
	t.Parallel()
	hook := testserver.Webhook(t)
	am := testserver.Alertmanager(t, fmt.Sprintf(`route:
  receiver: others
  routes: [{receiver: team, matchers: ['namespace="monitoring"'], group_by: [namespace, alertname], group_wait: 1s, group_interval: 1s}]
receivers:
  - name: others
  - name: team
    webhook_configs: [{url: %q}]
`, hook.URL()))
	c := newCloud(t, "nova", fmt.Sprintf("alerting: {labels: {namespace: monitoring}, alertmanagers: [{url: %q}], resend_interval: 1s}\n", am.URL()))
	p := newPrometheus(t, scrapeJob(c.rules(), fmt.Sprintf("{targets: [%q], labels: {namespace: openstack}}", c.web))+sendTo(am))
	p.ready(1)
	c.die("c1")
	testserver.Eventually(t, func() bool { return len(notified(hook, "ServiceGroupMemberDown")) > 0 }, patience, pause, "the team is notified")
	p.waitFor(`sum(ALERTS{alertname="ServiceGroupMemberDown", alertstate="firing"})`, 1)
	testserver.Eventually(t, func() bool { return len(notified(hook, "ServiceGroupWatchdog")) > 0 }, patience, pause, "about an alert of the rules alone, too")
	p.evaluate()
	members := 0
	for _, alert := range am.Alerts() {
		require.Equal(t, "monitoring", alert.Labels["namespace"], "%v", alert.Labels)
		if alert.Labels["member"] != "" {
			members++
		}
	}
	require.Equal(t, 1, members, "rules and bridge have one alert")
}

package evidence

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// Alertmanager sends one webhook when a host is down and one when it has recovered, each as the JSON Schema says. Its host leads to the evidence.
func TestWebhookIsAsItsSchemaSays(t *testing.T) {
	nova, neutron := newTable(t, "nova"), newTable(t, "neutron")
	for i := range 3 {
		nova.add("compute", fmt.Sprintf("c%d", i))
		neutron.add("agent", fmt.Sprintf("c%d.example.org", i))
	}
	nova.beat()
	neutron.beat()
	hook := testserver.Webhook(t)
	alertmanager := testserver.Alertmanager(t, fmt.Sprintf(`
route:
  receiver: none
  routes: [{receiver: evacuation, matchers: [alertname="ServiceGroupHostDown"], group_by: [cluster, host], group_wait: 0s, group_interval: 1s}]
receivers:
  - name: none
  - {name: evacuation, webhook_configs: [{url: %q}]}
`, hook.URL()))
	url := serve(t, "sources:\n"+nova.source()+neutron.source()+fmt.Sprintf(`
alerting:
  external_url: http://exporter.example.org
  resend_interval: 1s
  alertmanagers: [{url: %q}]
`, alertmanager.URL()))
	v := newValidator(t, get(t, url+"/api/v1/host-down-webhook.schema.json"))
	nova.learned(url)
	neutron.learned(url)

	nova.dies("c1")
	neutron.dies("c1.example.org")
	first := hook.Wait("notification about c1", func(all []testserver.Notification) bool { return len(all) > 0 })[0]
	require.NoError(t, v.validate(first.Body), "%s", first.Body)
	t.Logf("%s", first.Body)
	require.Equal(t, "firing", first.Status)
	require.Equal(t, "c1", first.Alerts[0].Labels["host"])
	evidence := decode[answer](t, get(t, url+"/api/v1/hosts?host="+first.Alerts[0].Labels["host"]))
	require.Equal(t, "down", evidence.Hosts[0].State)

	nova.run("UPDATE rows SET alive = 1")
	neutron.run("UPDATE rows SET alive = 1")
	all := hook.Wait("recovery of c1", func(all []testserver.Notification) bool { return all[len(all)-1].Status == "resolved" })
	last := all[len(all)-1]
	require.NoError(t, v.validate(last.Body), "%s", last.Body)
	require.False(t, slices.ContainsFunc(all, func(n testserver.Notification) bool { return n.CommonLabels["host"] != "c1" }))

	for from, to := range map[string]string{
		`"version":"4"`:    `"version":"5"`,
		`"host":"c1"`:      `"node":"c1"`,
		`"scope":"host"`:   `"scope":"member"`,
		`"startsAt":"20`:   `"startsAt":"AD 20`,
		`"summary":"`:      `"title":"`,
		`ServiceGroupHost`: `ServiceGroupMember`,
	} {
		require.Contains(t, string(first.Body), from)
		require.Error(t, v.validate(bytes.ReplaceAll(first.Body, []byte(from), []byte(to))), "%s", to)
	}
}

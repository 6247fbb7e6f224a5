package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The pages say whether hosts answer, and the page of a host has its alerts and the events of its members.
func TestHostAnswersOnPage(t *testing.T) {
	t.Parallel()
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status": "success", "data": {"resultType": "vector", "result": [
			{"metric": {"host": "cmp-01"}, "value": [1, "1"]}, {"metric": {"host": "cmp-02"}, "value": [1, "0"]}]}}`))
	}))
	t.Cleanup(prometheus.Close)
	am := testserver.Alertmanager(t, inhibiting)
	nova, neutron := newTable(t), newTable(t)
	for i := range 3 {
		name := fmt.Sprintf("cmp-%02d", i+1)
		nova.add("compute", name, "nova-compute", "east")
		neutron.add("agent", name+".example.org", "agent", "default")
	}
	nova.beat()
	neutron.beat()
	e := serve(t, configuration(nova.source("nova", hour, quick), neutron.source("neutron", hour, quick))+
		alerting(am.URL())+fmt.Sprintf("  prometheus: {url: %q}\n", prometheus.URL))
	b := openTab(t, 1280, 900)
	b.open(e.url("/hosts"))
	b.eventually(`[...document.querySelectorAll(".list .answers")].map((e) => e.textContent).join() === "yes,no,unknown"`)
	b.has(".list thead", "Host answers")
	b.open(e.url(hostPath("cmp-02")))
	b.has(".verdict", "host answers: no")
	b.has("#alerts", "No alert about this host fires.")
	b.has("#events", "No events yet")
	b.do(script("window.notReloaded = true"))

	nova.die("cmp-01", "cmp-02")
	neutron.die("cmp-02.example.org")
	b.has(".verdict.down", "host answers: no")
	b.has("#alerts", "ServiceGroupHostDown")
	b.has("#alerts", "ServiceGroupMemberDown · cmp-02.example.org (agent, neutron) for ")
	b.has("#alerts", "delivered to "+am.URL())
	b.has("#events", "cmp-02 died")
	b.has("#events", "cmp-02.example.org died")
	b.has("#events", "nova / compute · detected after ")
	require.NotContains(t, b.texts("#events .what"), "cmp-01 died", "it is on another host")
	require.NotContains(t, b.texts("#alerts .name"), "cmp-01")
	require.True(t, value[bool](b, "window.notReloaded"), "the page was reloaded")
	b.checkNoMessages()
}

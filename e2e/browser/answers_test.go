package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
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
	for _, width := range []int64{400, 1280} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, path := range []string{"/hosts", hostPath("cmp-02")} {
			b.open(e.url(path))
			where := fmt.Sprint(path, width)
			b.checkNoCutNames(where)
			b.checkNoHorizontalScroll()
			b.checkAccessibility(where)
			b.clearMessages() // axe-core adds inline styles, which the Content-Security-Policy forbids.
		}
	}

	// Members that are down say it too; others don't.
	b.open(e.url("/"))
	note := func(name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#grid-body .row")].find((e) => e.querySelector(".member").textContent === %s)?.querySelector(".reason").textContent`, quote(name))
	}
	b.eventually(note("cmp-02") + `?.startsWith("host down · host answers: no · Runbook") ?? false`)
	b.eventually(note("cmp-01") + `?.startsWith("process died, host reports · host answers: yes · Runbook") ?? false`)
	b.eventually(note("cmp-03") + ` === ""`)
	b.open(e.url(memberPath("nova", "compute", "cmp-02")))
	b.has("#state", "host down; host answers: no")

	b.noScripts()
	b.do(chromedp.Navigate(e.url(hostPath("cmp-02"))))
	b.has(".verdict", "host answers: no")
	b.has(".static ul", "cmp-02.example.org in group agent is down")
	b.has(".static ol", "death: source nova, group compute, member cmp-02")
	b.do(chromedp.Navigate(e.url("/?q=cmp-02")))
	b.has(".static tbody", "host down (host answers: no)")
	b.do(chromedp.Navigate(e.url(memberPath("nova", "compute", "cmp-02"))))
	b.has(".static .facts", "Host answers")
	b.checkNoMessages()
}

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// inhibiting is a configuration of Alertmanager in which the outage of a group inhibits the alerts about its members.
const inhibiting = `route: {receiver: none}
receivers: [{name: none}]
inhibit_rules: [{source_matchers: [alertname="ServiceGroupOutage"], target_matchers: [scope="member"], equal: [source, group]}]
`

// alerting returns a section that posts to Alertmanagers.
func alerting(urls ...string) string {
	var list []string
	for _, url := range urls {
		list = append(list, fmt.Sprintf("{url: %q, timeout: 2s}", url))
	}
	return fmt.Sprintf("alerting:\n  grafana_url: http://grafana.example.com/g/\n  resend_interval: 1s\n  alertmanagers: [%s]\n", strings.Join(list, ", "))
}

// The page shows which alerts fire, where they are, and what Alertmanager does with them.
func TestAlertsOnPage(t *testing.T) {
	t.Parallel()
	members := newTable(t)
	for _, name := range []string{"c1", "c2", "c3"} {
		members.add("compute", name, "nova-compute", "east")
	}
	for _, name := range []string{"n1", "n2", "n3", "n4"} {
		members.add("network", name, "nova-network", "east")
	}
	am := testserver.Alertmanager(t, inhibiting)
	nowhere := fmt.Sprintf("http://127.0.0.1:%d", testserver.Port(t))
	e := serve(t, configuration(members.source("cloud", hour, quick))+alerting(am.URL(), nowhere))
	b := openTab(t, 1280, 900)
	b.open(e.url("/"))
	b.has("#alerts", "No alert fires.")
	b.has("#alerts", nowhere+" does not accept alerts: ")

	silence(t, am.URL(), "n2")
	members.run("UPDATE members SET beat = 0 WHERE pool = 'compute' OR host IN ('n1', 'n2')")
	item := func(alert, name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#alerts li")].find((e) => e.innerText.includes(%s) && e.querySelector(".name").innerText === %s)`,
			quote(alert), quote(name))
	}
	says := func(alert, name, what string) {
		t.Helper()
		b.eventually(item(alert, name) + fmt.Sprintf(`?.innerText.replace(/\s+/g, " ").includes(%s) ?? false`, quote(what)))
	}
	says("ServiceGroupMemberDown", "n1", "critical ServiceGroupMemberDown · n1 (network, cloud) for ")
	says("ServiceGroupMemberDown", "n1", "delivered to "+am.URL()+"; not silenced")
	says("ServiceGroupMemberDown", "n1", "not delivered to "+nowhere+": ")
	says("ServiceGroupMemberDown", "n2", "delivered to "+am.URL()+"; silenced by ")
	says("ServiceGroupMemberDown", "c1", "; inhibited by ServiceGroupOutage")
	says("ServiceGroupOutage", "compute", "delivered to "+am.URL()+"; not silenced")
	b.eventually(`document.querySelectorAll("#alerts li")[0].innerText.includes("ServiceGroupMassFailure")`) // Alerts about many members come first.
	links := value[map[string]string](b, `Object.fromEntries([...`+item("ServiceGroupMemberDown", "n1")+`.querySelectorAll("a")].map((a) => [a.innerText, a.href]))`)
	require.Equal(t, e.url("/runbooks/ServiceGroupMemberDown"), links["Runbook"])
	require.Equal(t, "http://grafana.example.com/g/d/servicegroup-group?var-source=cloud&var-group=network", links["Dashboard"])
	require.Equal(t, e.url(memberPath("cloud", "network", "n1")), e.url("/member?group=network&member=n1&source=cloud"))

	// A member that is down leads to its runbook and its alert.
	b.eventually(`[...document.querySelectorAll("#grid-body .row.down .reason a")].some((a) => a.innerText === "Runbook")`)
	b.open(e.url("/?q=n1"))
	b.eventually(`document.querySelector("#grid-body .row .reason a[href*=member]") !== null`)
	b.do(script(`document.querySelector("#grid-body .row .reason a[href*=member]").click()`))
	b.eventually(`location.pathname === "/member" && location.hash === "#alerts" && ` + isLive)
	says("ServiceGroupMemberDown", "n1", "delivered to "+am.URL())
	b.has("#links", "Runbook: a member is down")
	b.has("#links", "Dashboard of the group")

	members.run("ALTER TABLE members RENAME TO renamed")
	says("ServiceGroupMemberDown", "n1", "Retained for ")
	members.run("ALTER TABLE renamed RENAME TO members")
	members.run("UPDATE members SET beat = ?", time.Now().UnixMilli())
	b.has("#alerts", "No alert about this member fires.")
	b.checkNoMessages()
}

// A program without an Alertmanager says so.
func TestNoAlertmanagerOnPage(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 3)
	members.run("UPDATE members SET beat = 0 WHERE host = 'c2'")
	b := openTab(t, 1280, 900)
	b.open(e.url("/"))
	b.has("#alerts", "This exporter sends no alerts, because its configuration has no Alertmanager. The rules in Prometheus do.")
	b.has("#verdict h2", "1 member is down")
	b.eventually(`document.querySelector("#grid-body .row.down .reason")?.innerText === "Runbook"`)
	b.checkNoMessages()
}

// silence makes an Alertmanager silence all alerts about a member.
func silence(t *testing.T, url, member string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"matchers":  []any{map[string]any{"name": "member", "value": member, "isRegex": false}},
		"createdBy": "test", "comment": "test", "startsAt": time.Now(), "endsAt": time.Now().Add(hour),
	})
	require.NoError(t, err)
	response, err := http.Post(url+"/api/v2/silences", "application/json", strings.NewReader(string(body)))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
}

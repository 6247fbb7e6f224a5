package browser

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func hostPath(host string) string { return "/host?" + url.Values{"host": {host}}.Encode() }

// machines serves two sources with n machines, each of which has a member in both.
func machines(t *testing.T, n int) (nova, neutron *table, e *exporter) {
	t.Helper()
	nova, neutron = newTable(t), newTable(t)
	for i := range n {
		name := fmt.Sprintf("cmp-%02d", i+1)
		nova.add("compute", name, "nova-compute", []string{"az-east", "az-west"}[i%2])
		neutron.add("agent", name+".example.org", "neutron-openvswitch-agent", "default")
	}
	nova.beat()
	neutron.beat()
	e = serve(t, configuration(nova.source("nova", hour, quick), neutron.source("neutron", hour, quick)))
	for _, member := range []string{"group=compute&member=cmp-01", "group=agent&member=cmp-01.example.org"} {
		e.eventually("/api/v1/member?"+member, "reporting_interval_seconds") // From now on a report shows that the host of a dead process lives.
	}
	return nova, neutron, e
}

// die ends the heartbeats of members, and makes them too old.
func (s *table) die(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.run("UPDATE members SET alive = 0, beat = 0 WHERE host = ?", name)
	}
}

// The list of hosts shows the death of a machine without a reload, and leads to the host, to its members and back.
func TestHosts(t *testing.T) {
	t.Parallel()
	nova, neutron, e := machines(t, 120)
	b := openTab(t, 1280, 900)
	b.open(e.url("/"))
	b.do(script(`[...document.querySelectorAll(".views a")].find((a) => a.textContent === "Hosts").click()`))
	b.eventually(`location.pathname === "/hosts" && ` + isLive)
	b.has("#title", "No host is down (120 hosts)")
	b.has("#list-title", "1 to 50 of 120")
	b.do(script("window.notReloaded = true"))

	nova.die("cmp-07", "cmp-09")
	neutron.die("cmp-07.example.org")
	b.has("#title", "1 host is down")
	b.has(".list tr.down", "cmp-07")
	b.has(".list tr.down .certainty", "confirmed")
	b.has(".list tr.down .number", "2 of 2 down")
	b.eventually(`document.title === "(1 down) Hosts · Service groups"`)
	b.eventually(`document.querySelector("#announcer").textContent === "1 host is down"`)
	require.Equal(t, "cmp-07", value[string](b, `document.querySelector(".list tbody .name").textContent`), "those that are down come first")
	require.True(t, value[bool](b, "window.notReloaded"), "the page was reloaded")

	b.has(".list", "compute: process died, host reports")
	if *images != "" {
		require.NoError(t, os.WriteFile(filepath.Join(*images, "page-hosts.png"), b.screenshot(), 0o644))
	}

	// The focus stays where it is while the content changes.
	b.do(script(`document.querySelector('.choices a[href="hosts?state=down"]').focus()`))
	nova.die("cmp-11")
	neutron.die("cmp-11.example.org")
	b.has("#title", "2 hosts are down")
	require.Equal(t, "Down 2", value[string](b, "document.activeElement.textContent"))

	b.do(chromedp.SendKeys(chromedp.CSS("[name=q]"), "cmp-09"))
	b.eventually(`location.search === "?q=cmp-09"`)
	b.has(".list tbody tr .notes", "compute: process died, host reports")
	b.eventually(`document.querySelectorAll(".list tbody tr").length === 1`)

	b.open(e.url("/hosts?sort=-host&page=2"))
	require.Equal(t, "cmp-49", value[string](b, `document.querySelector(".list tbody .name").textContent`))
	b.do(script(`[...document.querySelectorAll(".pages a")].find((a) => a.textContent === "Next").click()`))
	b.eventually(`location.search.includes("page=3") && ` + isLive)
	require.Equal(t, "cmp-109", value[string](b, `document.querySelector(".list tbody .name").textContent`))

	b.open(e.url("/hosts?state=down"))
	b.do(script(`[...document.querySelectorAll(".list tbody .name")].find((a) => a.textContent === "cmp-07").click()`))
	b.eventually(`location.pathname === "/host" && ` + isLive)
	require.Equal(t, "cmp-07", b.text("h1"))
	b.has(".verdict.down", "confirmed")
	b.has(".list", "nova / compute")
	b.has(".list .notes", "host down")
	b.do(script(`[...document.querySelectorAll(".list tbody .name")].find((a) => a.textContent === "cmp-07").click()`))
	b.eventually(`location.pathname === "/member" && ` + isLive)
	b.has("#state", "host down")
	b.do(script(`[...document.querySelectorAll("#facts a")].find((a) => a.textContent === "cmp-07").click()`))
	b.eventually(`location.pathname === "/host" && ` + isLive)

	// The host recovers with the first of its members.
	neutron.run("UPDATE members SET alive = 1 WHERE host = 'cmp-07.example.org'")
	b.has(".verdict.up", "up")
	b.has(".list tr.down .notes", "process died, host reports")

	// A host without members is gone.
	nova.run("DELETE FROM members WHERE host = 'cmp-07'")
	neutron.run("DELETE FROM members WHERE host = 'cmp-07.example.org'")
	b.has("h1", "There is no host cmp-07.")
	for _, message := range b.clearMessages() {
		require.Contains(t, message, "status of 404")
	}
}

// On the status page, a member that is down says whether its process died or its machine, and leads to its host.
func TestCauseOnPage(t *testing.T) {
	t.Parallel()
	nova, neutron, e := machines(t, 4)
	b := openTab(t, 1280, 900)
	b.open(e.url("/"))
	nova.die("cmp-02", "cmp-03")
	neutron.die("cmp-03.example.org")
	note := func(name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#grid-body .row")].find((e) => e.querySelector(".member").textContent === %s)?.querySelector(".reason a[href^=host]")`, quote(name))
	}
	b.eventually(note("cmp-02") + `?.textContent === "process died, host reports"`)
	b.eventually(note("cmp-03") + `?.textContent === "host down"`)
	b.eventually(note("cmp-03.example.org") + `?.textContent === "host down"`)
	b.has("#verdict", "1 host is down: cmp-03 (2 members)")
	b.do(script(note("cmp-03") + ".click()"))
	b.eventually(`location.pathname + location.search === "/host?host=cmp-03" && ` + isLive)
	b.checkNoMessages()
}

// Without JavaScript, the pages about hosts have the same content and links.
func TestHostsWithoutScripts(t *testing.T) {
	t.Parallel()
	nova, neutron, e := machines(t, 60)
	nova.die("cmp-05")
	neutron.die("cmp-05.example.org")
	e.eventually("/api/v1/hosts?state=down", `"host":"cmp-05"`)
	b := openTab(t, 400, 800)
	b.noScripts()
	click := func(selector, reached string) {
		t.Helper()
		b.do(chromedp.Click(chromedp.CSS(selector)))
		b.eventually(reached + ` && document.readyState === "complete"`)
	}
	b.do(chromedp.Navigate(e.url("/")))
	click(`.views a[href="hosts"]`, `location.pathname === "/hosts"`)
	b.has("#title", "1 host is down")
	require.Equal(t, "none", value[string](b, `getComputedStyle(document.querySelector("#live")).display`))
	require.Equal(t, "none", value[string](b, `getComputedStyle(document.querySelector("#search")).display`), "without scripts it would do nothing")
	click(`.list th a[href="hosts?sort=host"]`, `location.search === "?sort=host"`)
	click(`.pages a:last-child`, `location.search === "?page=2&sort=host"`)
	b.has(".list tbody", "cmp-51")
	click(`.choices a[href$="state=down"]`, `location.search === "?sort=host&state=down"`)
	b.checkNoHorizontalScroll()
	click(`.list tbody a.name`, `location.pathname === "/host"`)
	b.has("h1", "cmp-05")
	b.checkNoHorizontalScroll()
	click(`.list tbody a.name`, `location.pathname === "/member"`)
	click(`.static a[href^="host?"]`, `location.pathname === "/host"`)
	b.checkNoMessages()
}

// The pages about hosts fit narrow and wide screens, show all of each name, and follow the rules of accessibility in both themes. A host that does not exist
// has a page, too.
func TestLooksOfHosts(t *testing.T) {
	t.Parallel()
	nova, neutron := newTable(t), newTable(t)
	long := "compute-0230.rack-17.region-east.cloud.example.com"
	for _, name := range []string{long, "узел-с-длинным-именем-который-не-помещается", strings.Repeat("no-place-to-break", 5), "<b>c</b>"} {
		nova.add("a-group-whose-name-is-longer-than-its-column", name, "nova-compute", "availability-zone-of-the-east")
		neutron.add("agent", name, "agent", "default")
	}
	nova.run("UPDATE members SET beat = 0")
	neutron.run("UPDATE members SET beat = 0 WHERE host IN (?, '<b>c</b>')", long)
	e := serve(t, "hosts: {ignore_domain: false}\n"+configuration(nova.source("nova", hour, quick), neutron.source("neutron", hour, quick)))
	e.eventually("/api/v1/hosts?state=down", long)
	b := openTab(t, 1280, 900)
	for _, width := range []int64{400, 1280} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			for _, path := range []string{"/hosts", "/hosts?q=none", hostPath(long), hostPath("<b>c</b>")} {
				b.open(e.url(path))
				where := fmt.Sprint(path, width, scheme)
				b.checkNoCutNames(where)
				b.checkNoHorizontalScroll()
				b.checkNoMessages()
				b.checkAccessibility(where)
				b.clearMessages() // axe-core adds inline styles, which the Content-Security-Policy forbids.
			}
		}
	}
	require.Equal(t, "<b>c</b>", value[string](b, `document.querySelector("h1").textContent`))
	b.do(chromedp.Navigate(e.url(hostPath("gone"))))
	require.Equal(t, "There is no host gone.", b.text("h1"))
	b.do(chromedp.Click(chromedp.CSS(`.links a[href="./hosts"]`)))
	b.eventually(`location.pathname === "/hosts" && ` + isLive)
}

// A member that is suspected says so on the status page, on its own page and on that of its host, for how long its heartbeat is overdue, and
// in the events. It stays up.
func TestSuspectedOnPage(t *testing.T) {
	t.Parallel()
	members := newTable(t)
	for i := range 4 {
		members.add("compute", fmt.Sprintf("c%d", i+1), "nova-compute", "east")
	}
	members.beat()
	e := serve(t, configuration(members.source("cloud", hour, quick)+"    suspicion: {margin: 1s}\n"))
	b := openTab(t, 1280, 900)
	b.open(e.url("/"))
	for i := range 4 {
		e.eventually(strings.Replace(memberPath("cloud", "compute", fmt.Sprintf("c%d", i+1)), "/", "/api/v1/", 1), "reporting_interval_seconds")
	}
	require.Empty(t, b.texts("#grid-body .reason:not(:empty)"))

	members.run("UPDATE members SET alive = 0 WHERE host = 'c2'")
	b.eventually(`document.querySelector("#grid-body .row .member")?.textContent === "c2"`) // It comes first of those that are up.
	b.eventually(`/^suspected: heartbeat overdue by [\d.]+m?s$/.test(document.querySelector("#grid-body .row .reason").innerText)`)
	b.has("#grid-body .row .state", "up")
	b.has("#events li", "c2 is suspected")
	b.has("#events li", "silent for ")
	b.has("#verdict h2", "No member in service is down")

	b.open(e.url(memberPath("cloud", "compute", "c2")))
	b.has("#state", "up for ")
	b.has("#state", "suspected: heartbeat overdue by ")
	b.has("#facts", "Suspected since")
	b.eventually(`/Reporting interval\s*\d+ms/.test(document.querySelector("#facts").innerText)`) // It is less than a second.
	b.open(e.url(hostPath("c2")))
	b.has(".list .notes", "suspected: heartbeat overdue by ")
	b.checkNoMessages()
	b.noScripts()
	b.do(chromedp.Navigate(e.url("/?q=c2")))
	b.has(".static tbody", "suspected: heartbeat overdue by ")

	// It reports again: the note ends, and the mistake is an event.
	members.run("UPDATE members SET alive = 1")
	e.eventually("/api/v1/events?limit=1", `"event":"refute"`)
	b.do(chromedp.Navigate(e.url("/?q=c2")))
	b.eventually(`document.querySelector(".static tbody")?.textContent.includes("suspected") === false`)
	b.has(".static ol", "refute: source cloud, group compute, member c2")
}

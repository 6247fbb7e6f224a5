package browser

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// joinable is the configuration of a source whose members are processes that join.
const joinable = `
sources:
  - name: cloud
    driver: db
    poll_interval: 250ms
    db: {dsn: "sqlite:///%s", report_interval: 500ms, service_down_time: 3s}
`

// Deaths and all other events appear without a reload of the page.
func TestEventsAppearWithoutReload(t *testing.T) {
	t.Parallel()
	e := serve(t, fmt.Sprintf(joinable, filepath.Join(t.TempDir(), "members.db")))
	members := map[string]*testserver.Process{}
	for _, name := range []string{"c1", "c2", "c3"} {
		members[name] = e.join("compute", name)
	}
	b := openTab(t, 1200, 900)
	b.open(e.url("/"))
	b.has("#verdict", "No member in service is down (3 members)")
	b.do(script("window.notReloaded = true"))

	members["c2"].Kill()
	b.has("#verdict h2", "1 member is down")
	b.has("#verdict-details", "c2 (compute) for ")
	b.has("#grid-body .row.down", "c2") // It is the first: members that are down come before others.
	b.has("#events li", "c2 died")
	b.has("#detection", "1 death, detected after ")
	b.do(script(`document.querySelector("#detection summary").click()`))
	b.has("#detection table", "5s 1")
	b.eventually(`document.title === "(1 down) Service groups"`)
	b.eventually(`document.querySelector("#announcer").textContent.includes("c2 died")`)
	require.Equal(t, []string{"All 3", "Down 1", "Unknown 0", "Up 2"}, b.texts(".states span"))

	e.join("compute", "c2")
	b.has("#verdict", "No member in service is down (3 members)")
	b.has("#events li", "c2 recovered")
	require.True(t, value[bool](b, `document.querySelector("#detection details").open`), "the table has been closed")
	e.join("network", "n1")
	b.has("#groups", "network")
	b.has("#grid-body", "n1")
	leave := e.command("leave", "compute", "c3")
	out, err := exec.Command(leave[0], leave[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	b.eventually(`!document.querySelector("#grid-body").innerText.includes("c3")`)
	require.True(t, value[bool](b, "window.notReloaded"), "the page was reloaded")
	b.checkNoMessages()
}

// The page repeats what the server has decided. A browser whose clock is wrong, or is set while the page is open, shows the same: the
// verdict, and the ages to the second.
func TestBrowsersClock(t *testing.T) {
	t.Parallel()
	busy, quiet := newTable(t), newTable(t)
	for i := range 4 {
		busy.add("compute", fmt.Sprintf("c%d", i+1), "nova-compute", "east")
		quiet.add("compute", fmt.Sprintf("q%d", i+1), "nova-compute", "east")
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).UnixMilli() }
	// Most heartbeats are older than half of the heartbeat timeout, but one is not. That is no reason to suspect the backend.
	busy.run("UPDATE members SET beat = ? WHERE host <> 'c1'", ago(40*time.Minute))
	busy.run("UPDATE members SET beat = ? WHERE host = 'c2'", ago(100*time.Minute))
	quiet.run("UPDATE members SET beat = ?", ago(40*time.Minute))
	e := serve(t, configuration(busy.source("busy", hour, quick), quiet.source("quiet", hour, quick)))
	b := openTab(t, 1200, 900)
	b.runFirst(`{ const now = Date.now.bind(Date); window.off = 0; Date.now = () => now() + window.off; }`)
	b.open(e.url("/"))
	const minute = 60_000
	for _, off := range []int{0, 60 * minute, -60 * minute, 24 * 60 * minute, -365 * 24 * 60 * minute} {
		b.do(script(fmt.Sprintf("window.off = %d", off)))
		b.eventually(`document.querySelector("#verdict").innerText.match(/c2 \(compute\) for 1h 4[0-9]m/) !== null`)
		b.eventually(`document.querySelector("#verdict").innerText.match(/quiet: no heartbeats arrive any more; the newest came 4[0-9]m ago. Suspect the backend/) !== null`)
		require.Equal(t, "1 member is down", b.text("#verdict h2"))
		require.Equal(t, 1, strings.Count(b.text("#verdict"), "Suspect"), "the clock is %d ms ahead", off)
	}
	b.checkNoMessages()
}

// A hidden page closes its stream, and only updates its title.
func TestHiddenPage(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 3)
	b := openTab(t, 1200, 900)
	b.runFirst(`window.streams = []; window.EventSource = class extends EventSource { constructor(url) { super(url); streams.push(this); } };`)
	b.open(e.url("/"))
	hide := func(hidden bool) {
		b.do(script(fmt.Sprintf(`Object.defineProperty(document, "hidden", { value: %t, configurable: true });
			document.dispatchEvent(new Event("visibilitychange"))`, hidden)))
	}
	hide(true)
	members.run("UPDATE members SET beat = 0 WHERE host = 'c2'")
	members.run("UPDATE members SET beat = 0, off = 1 WHERE host = 'c3'")
	b.eventually(`document.title === "(1 down) Service groups"`)
	b.eventually("streams.length === 1 && streams[0].readyState === EventSource.CLOSED")
	hide(false)
	b.eventually(isLive + " && streams.length === 2 && streams[1].readyState === EventSource.OPEN")
	b.has("#verdict h2", "1 member is down")
	b.eventually(`document.querySelector("#grid-body .row .member")?.textContent === "c2"`)
	b.checkNoMessages()
}

// The page shows that it is not live when the exporter is down, and when it is frozen with open connections.
func TestNotLive(t *testing.T) {
	t.Parallel()
	_, e := serveMembers(t, 3)
	b := openTab(t, 1200, 900)
	b.open(e.url("/"))
	color := func() string {
		b.eventually(`!!document.querySelector("#grid-body .badge.up")`) // The page is live before the browser draws its rows.
		return value[string](b, `getComputedStyle(document.querySelector("#grid-body .badge.up")).color`)
	}
	healthy := color()
	b.checkNoMessages()

	for name, outage := range map[string]struct{ begin, end func() }{
		"gone":   {e.process.Kill, e.process.Start},
		"frozen": {e.process.Freeze, e.process.Thaw},
	} {
		outage.begin()
		b.has("#live", "Not live: showing the data of 20")
		require.Equal(t, "lost", value[string](b, "document.body.className"), name)
		require.NotEqual(t, healthy, color(), name)
		outage.end()
		b.eventually(isLive)
		require.Equal(t, healthy, color(), name)
	}
}

// All members of a source that can't be read are unknown.
func TestUnreadableSource(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 4)
	b := openTab(t, 1200, 900)
	b.open(e.url("/"))
	b.has("#verdict", "No member in service is down (4 members)")

	members.run("ALTER TABLE members RENAME TO renamed")
	b.has("#verdict h2", "source cloud has no current data")
	b.has("#verdict", "Suspect the backend or the network, not the nodes.")
	b.has("#verdict", "4 members are unknown")
	b.has("#sources", "can't be read")
	b.has("#sources", "no such table")
	runbook := quote(e.url("/runbooks/ServiceGroupSourceUnreachable"))
	b.eventually(`document.querySelector("#sources .runbook a")?.href === ` + runbook)
	b.eventually(`document.querySelector("#verdict a")?.href === ` + runbook)
	b.has("#events li", "Source cloud can't be read")
	require.Equal(t, []string{"All 4", "Down 0", "Unknown 4", "Up 0"}, b.texts(".states span"))
	require.Empty(t, b.texts("#grid-body .badge.up"))

	members.run("ALTER TABLE renamed RENAME TO members")
	b.has("#verdict", "No member in service is down (4 members)")
	b.has("#events li", "Source cloud can be read again")
	b.eventually(`document.querySelector("#sources .runbook a") === null`)
	b.checkNoMessages()
}

// A source that can be read and is probably not as it was meant says why, until that has ended.
func TestProblemOnPage(t *testing.T) {
	t.Parallel()
	e := serve(t, fmt.Sprintf(joinable, filepath.Join(t.TempDir(), "missing", "members.db")))
	b := openTab(t, 1200, 900)
	b.open(e.url("/"))
	b.has("#sources .problems", "absent: The SQLite file ")
	b.has("#sources .problems", "missing/members.db does not exist")
	b.eventually(`document.querySelector("#sources .runbook a")?.href === ` + quote(e.url("/runbooks/ServiceGroupSourceProblem")))
	b.has("#verdict h2", "There are no members yet")
	e.join("compute", "c1")
	b.has("#verdict", "No member in service is down (1 member)")
	b.eventually(`document.querySelector("#sources .problems")?.innerText === ""`)
	b.checkNoMessages()
}

// Members of a source that can't be read stay down if they were. Alerts about them are retained too.
func TestDownWhenLastKnown(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 4)
	b := openTab(t, 1200, 900)
	b.open(e.url("/"))
	members.run("UPDATE members SET beat = 0 WHERE host = 'c2'")
	b.has("#verdict h2", "1 member is down")

	members.run("ALTER TABLE members RENAME TO renamed")
	b.has("#verdict h2", "1 member is down; source cloud has no current data")
	b.has("#grid-body .row .reason", "down when last known")
	require.Equal(t, "c2", value[string](b, `document.querySelector("#grid-body .row .member").textContent`))
	b.eventually(`document.title === "(1 down) Service groups"`)
	b.checkNoMessages()
}

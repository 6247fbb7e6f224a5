package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Without JavaScript the page of a member has its state, its attributes and its events, and the status page has alerts and events.
func TestPagesWithoutScripts(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 2)
	b := openTab(t, 360, 800)
	b.open(e.url("/"))
	members.run("UPDATE members SET beat = 0 WHERE host = 'c2'")
	b.has("#events", "c2 died")
	b.noScripts()
	b.do(chromedp.Navigate(e.url("/")))
	b.eventually(`document.readyState === "complete" && document.querySelector(".static ol")?.textContent.includes("death: source cloud, group compute, member c2")`)
	b.do(chromedp.Click(chromedp.CSS(".static tbody a.name")))
	b.eventually(`location.pathname === "/member" && document.readyState === "complete"`)
	require.Equal(t, "c2", b.text("h1#static-title"))
	b.has("p.down", "down for")
	b.has(".static .facts", "Binary")
	b.has(".static ol", "death: source cloud, group compute, member c2")
	b.checkNoHorizontalScroll()
	b.checkNoMessages()
	b.do(chromedp.Click(chromedp.CSS(`.static a[href^="runbooks/"]`)))
	b.eventually(`document.title === "ServiceGroupMemberDown"`)
}

// The page says that entries are missing which can't be used, and no longer says it when they are gone.
func TestRejectedNames(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 1)
	members.add("compute", strings.Repeat("long-name.", 300), "nova-compute", "east")
	b := openTab(t, 1000, 800)
	b.open(e.url("/"))
	b.has("#verdict", "missing here")
	b.eventually(`document.querySelectorAll("#grid-body .row").length === 1`)
	members.run("DELETE FROM members WHERE length(host) > 100")
	b.eventually(`!document.querySelector("#verdict").textContent.includes("missing here")`)
	b.checkNoMessages()
}

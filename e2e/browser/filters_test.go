package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// twoSources serves two sources with 6 and 2 members, some of which are down.
func twoSources(t *testing.T) *exporter {
	t.Helper()
	nova, cinder := newTable(t), newTable(t)
	for i := range 4 {
		nova.add("compute", fmt.Sprintf("cmp-%d", i+1), "nova-compute", []string{"east", "west"}[i%2])
	}
	nova.add("scheduler", "ctl-1", "nova-scheduler", "internal")
	nova.add("scheduler", "ctl-2", "nova-scheduler", "internal")
	cinder.add("volume", "vol-1", "cinder-volume", "east")
	cinder.add("scheduler", "ctl-1", "cinder-scheduler", "internal")
	nova.run("UPDATE members SET beat = 0 WHERE host IN ('cmp-2', 'cmp-3')")
	nova.run("UPDATE members SET off = 1, reason = 'new disk' WHERE host = 'cmp-2'")
	return serve(t, configuration(nova.source("nova", hour, quick), cinder.source("cinder", hour, quick)))
}

// hasRows waits until the grid shows exactly these members. The page creates rows when the browser draws.
func (b *tab) hasRows(names ...string) {
	b.t.Helper()
	b.eventually(fmt.Sprintf(`[...document.querySelectorAll("#grid-body .row .member")].map((e) => e.textContent).join("\n") === %q`,
		strings.Join(names, "\n")))
}

func TestFilters(t *testing.T) {
	t.Parallel()
	e := twoSources(t)
	b := openTab(t, 1200, 900)

	// Members that need attention come first, then members that are down on purpose, then the others in the order of the API.
	b.open(e.url("/"))
	b.eventually(`document.querySelectorAll("#grid-body .row .member").length === 8`) // Both sources have been polled.
	b.hasRows("cmp-3", "cmp-2", "ctl-1", "vol-1", "cmp-1", "cmp-4", "ctl-1", "ctl-2")
	b.has("#verdict h2", "1 member is down")
	b.has("#verdict", "1 member out of service is also down.")
	b.has("#grid-body", "disabled: new disk")

	// URLs that alerts link to.
	b.open(e.url("/?source=nova&group=compute"))
	b.hasRows("cmp-3", "cmp-2", "cmp-1", "cmp-4")
	require.Equal(t, "nova / compute", value[string](b, `document.querySelector("#groups [aria-current] .name").textContent`))
	b.open(e.url("/?state=down&q=NEW"))
	b.hasRows("cmp-2")
	b.has("#members-count", "1 of 8 members")

	require.Equal(t, "down", value[string](b, `document.querySelector(".states :checked").value`))

	// The URL follows changes of the form.
	b.do(chromedp.Click(chromedp.CSS("#clear")))
	b.eventually(`location.search === ""`)
	require.Empty(t, value[string](b, `document.querySelector(".states :checked").value`))
	b.do(chromedp.SendKeys(chromedp.CSS("[name=q]"), "ctl-1"))
	b.eventually(`location.search === "?q=ctl-1"`)
	b.hasRows("ctl-1", "ctl-1")
	b.do(choose("source", "cinder"))
	b.eventually(`location.search === "?q=ctl-1&source=cinder"`)
	b.hasRows("ctl-1")
	require.Equal(t, []string{"All groups", "scheduler", "volume"}, b.texts("[name=group] option"))
	b.do(choose("zone", "east"))
	b.has("#none", "No member matches these filters.")
	b.do(chromedp.Click(chromedp.CSS("#clear")), chromedp.Click(chromedp.CSS(".states label:nth-of-type(2)")))
	b.eventually(`location.search === "?state=down"`)
	b.hasRows("cmp-3", "cmp-2")
	require.Equal(t, []string{"All 8", "Down 2", "Unknown 0", "Up 6"}, b.texts(".states span"))

	// The tile of a group sets the filter. The back button undoes it.
	b.do(script(`document.querySelector("#groups a[href*=volume]").click()`))
	b.has("#none", "No member matches")
	b.do(chromedp.NavigateBack())
	b.eventually(`location.search === "?state=down" && document.querySelectorAll("#grid-body .row").length === 2`)

	// The form shows the filter even if its zone does not exist.
	b.open(e.url("/?zone=gone"))
	b.has("#none", "No member matches these filters.")
	require.Equal(t, "gone", value[string](b, `document.forms[0].elements.zone.value`))
	b.checkNoMessages()
}

// A link for each order and each page of members leads to all members, with and without JavaScript.
func TestOrderAndPages(t *testing.T) {
	t.Parallel()
	members := newTable(t)
	members.run(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1233)
		INSERT INTO members (pool, host, binary, zone, beat) SELECT 'compute', printf('c%04d', i), 'nova-compute', 'east', ? - 1000 * i FROM n`, time.Now().UnixMilli())
	e := serve(t, configuration(members.source("cloud", hour, quick)))
	b := openTab(t, 1280, 900)
	first := func(name string) {
		t.Helper()
		b.eventually(`document.querySelector("#grid-body .row .member")?.textContent === ` + quote(name))
	}
	click := func(selector, text string) {
		t.Helper()
		b.do(script(fmt.Sprintf(`[...document.querySelectorAll(%s)].find((a) => a.textContent === %s).click()`, quote(selector), quote(text))))
	}
	b.open(e.url("/"))
	first("c0000")
	b.has("#members-count", "1,234")
	b.has("#pages", "1 to 50 of 1,234")
	b.do(script("window.notReloaded = true"))
	b.do(script(`for (const link of document.querySelectorAll(".head .member a")) { link.click(); link.click() }`)) // before the page is drawn again
	first("c1233")
	require.Equal(t, "descending", value[string](b, `document.querySelector(".head .member").getAttribute("aria-sort")`))
	click(".head a", "Heartbeat")
	first("c0000")
	click(".head a", "Heartbeat")
	first("c1233")
	click("#pages a", "Last")
	b.eventually(`location.search === "?sort=-heartbeat&page=25"`)
	b.has("#pages", "1,201 to 1,234 of 1,234")
	first("c0033")
	click("#pages a", "Previous")
	first("c0083")
	b.do(chromedp.NavigateBack())
	first("c0033")
	b.do(chromedp.SendKeys(chromedp.CSS("[name=q]"), "c00"))
	b.eventually(`location.search === "?q=c00&sort=-heartbeat"`) // Another filter begins at its first page.
	first("c0099")
	require.True(t, value[bool](b, "window.notReloaded"), "the page was reloaded")

	members.run("UPDATE members SET beat = 0 WHERE host < 'c0103'")
	b.open(e.url("/"))
	b.has("#verdict", "103 members are down")
	b.do(script(`[...document.querySelectorAll("#verdict a")].find((a) => a.textContent === "98 others").click()`))
	b.eventually(`location.search === "?state=down" && location.hash === "#members" && ` + isLive)
	b.has("#pages", "1 to 50 of 103")
	b.checkNoMessages()

	b.noScripts()
	b.do(chromedp.Navigate(e.url("/?sort=-member")))
	firstStatic := func(name string) { // The location changes before the rows of the new page are there.
		t.Helper()
		b.eventually(`document.querySelector(".static tbody .name")?.textContent === ` + quote(name))
	}
	firstStatic("c1233")
	b.do(chromedp.Click(chromedp.CSS(".static .pages a:last-child")))
	firstStatic("c1183")
	require.True(t, value[bool](b, `location.search.includes("page=2")`))
	b.do(chromedp.Click(chromedp.CSS(".static th:nth-child(2) a")))
	firstStatic("c0000")
	require.False(t, value[bool](b, `location.search.includes("page=")`))
}

// Names that do not exist have a page that leads back.
func TestUnknownNames(t *testing.T) {
	t.Parallel()
	_, e := serveMembers(t, 1)
	b := openTab(t, 400, 800)
	long := strings.Repeat("long-name.", 30)
	for path, says := range map[string]string{
		"/?source=gone": "There is no source gone.", "/?group=" + long: "There is no group " + long + ".",
		memberPath("cloud", "compute", long): "Group compute of source cloud has no member " + long + ".",
		"/a/b/c":                             "There is no such page.", "/runbooks/none": "There is no such page.",
	} {
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			b.do(chromedp.Navigate(e.url(path)))
			require.Equal(t, says, b.text("h1"))
			b.checkNoHorizontalScroll()
			for _, message := range b.clearMessages() {
				require.Contains(t, message, "status of 404")
			}
			b.checkAccessibility(path)
			b.clearMessages() // axe-core adds inline styles.
		}
		b.do(chromedp.Click(chromedp.CSS(".links a")))
		b.eventually(`location.pathname === "/" && ` + isLive)
		b.clearMessages()
	}
}

// Everything can be reached and left with the keyboard, and the focus is visible.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	e := twoSources(t)
	b := openTab(t, 1200, 900)
	b.open(e.url("/"))
	focused := `document.activeElement`

	b.press(kb.Tab)
	require.Equal(t, "Skip to the members", value[string](b, focused+".textContent"))
	b.press(kb.Enter, kb.Tab)
	require.Equal(t, "q", value[string](b, focused+".name"))
	for range 10 {
		if value[bool](b, focused+`.matches(".row")`) {
			break
		}
		b.press(kb.Tab)
	}
	b.has(":focus", "cmp-3")
	require.NotEqual(t, "none", value[string](b, `getComputedStyle(document.activeElement).outlineStyle`))
	b.press(kb.ArrowDown)
	b.has(":focus", "cmp-2")
	b.press(kb.End)
	b.has(":focus", "ctl-2")
	b.press(kb.Home, kb.ArrowUp)
	b.has(":focus", "cmp-3")

	// The grid has one tab stop, so that the focus is not trapped among its rows.
	b.press(kb.Tab)
	require.False(t, value[bool](b, focused+`.matches(".row")`))
	b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(kb.ModifierShift)))
	b.has(":focus", "cmp-3")

	b.press(kb.Enter)
	b.eventually(`location.pathname === "/member" && ` + isLive)
	require.Equal(t, "cmp-3", b.text("#name"))

	// Tab visits every tab stop of the page once, and then leaves it.
	b.open(e.url("/"))
	seen := map[string]bool{}
	for range 60 {
		b.press(kb.Tab)
		if value[bool](b, focused+" === document.body") {
			break
		}
		require.NotEqual(t, "none", value[string](b, `(document.activeElement.matches(".states input")
			? getComputedStyle(document.activeElement.nextElementSibling) : getComputedStyle(document.activeElement)).outlineStyle`), b.text(":focus"))
		seen[value[string](b, focused+".outerHTML")] = true
	}
	require.True(t, value[bool](b, focused+" === document.body"), "the focus does not leave the page")
	require.Greater(t, len(seen), 15)
	b.checkNoMessages()
}

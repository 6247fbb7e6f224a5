package browser

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func memberPath(source, group, member string) string {
	return "/member?" + url.Values{"source": {source}, "group": {group}, "member": {member}}.Encode()
}

func TestMemberPage(t *testing.T) {
	t.Parallel()
	members, e := serveMembers(t, 1)
	b := openTab(t, 1000, 800)
	b.open(e.url(memberPath("cloud", "compute", "c1")))
	require.Equal(t, "c1", b.text("h1"))
	b.has("#state", "up for ")
	b.has("#facts", "nova-compute")
	b.has("#labels", `member="c1"`)
	b.has("#events", "No events yet")

	members.run("UPDATE members SET beat = 0")
	b.has("#state", "down for ")
	b.has("#events li", "died")
	b.has("#events li", "detected after ")
	b.eventually(`document.querySelector("#announcer").textContent === "down"`)
	members.run("UPDATE members SET off = 1, reason = 'new disk'")
	b.has("#state", "disabled: new disk")
	b.do(script(`document.querySelector("#links a").click()`))
	b.eventually(`location.search === "?source=cloud&group=compute" && ` + isLive)
	b.hasRows("c1")

	b.open(e.url(memberPath("cloud", "compute", "c1")))
	members.run("DELETE FROM members")
	b.has("#state", "This member does not exist (any more)")
	members.run("ALTER TABLE members RENAME TO renamed")
	b.has("#state", "This member can't be shown")
	// The only messages are the browser's own about the responses 404 and 503.
	for _, message := range b.clearMessages() {
		require.Regexp(t, "status of (404|503)", message)
	}
}

// Names with markup are shown as text. The longest name is one that the collector still accepts.
func TestStrangeNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1024)
	names := []string{`<img src=x onerror=alert(1)>"'`, `</script><script>alert(2)</script>`, "שלום\u202egnp.exe", "a b&c=d#e?f%2F", "{{.}}", long}
	members := newTable(t)
	for _, name := range names {
		members.add(`<b onclick="alert(3)">&amp;`, name, "<i>", "<u>")
	}
	members.run("UPDATE members SET off = 1, reason = ?", `<a href="javascript:alert(4)">`)
	e := serve(t, configuration(members.source("cloud", hour, quick))+"label_value_length_limit: 0\n")
	b := openTab(t, 360, 780)
	b.open(e.url("/"))
	b.eventually(`document.querySelector("#members-count").textContent === "6"`) // The source has been polled.
	shown := value[[]string](b, `[...document.querySelectorAll("#grid-body .row .member")].map((e) => e.textContent)`)
	require.ElementsMatch(t, names, shown)
	members.run("UPDATE members SET beat = 0, off = 0, reason = ''")
	b.has("#verdict", "6 members are down")
	b.has("#verdict", "cloud: 6 of 6 members in service are down. Suspect the backend or the network.")
	b.has("#events", "died")
	require.Zero(t, value[int](b, `document.querySelectorAll("main :is(img, script, b b, i, u)").length`))
	b.checkNoHorizontalScroll()

	for _, name := range names {
		b.open(e.url(memberPath("cloud", `<b onclick="alert(3)">&amp;`, name)))
		require.Equal(t, name, value[string](b, `document.querySelector("h1").textContent`))
		b.has("#state", "down for")
		b.checkNoHorizontalScroll()
	}
	b.checkNoMessages()
}

// checkNoHorizontalScroll checks that the page has no horizontal scrollbar.
func (b *tab) checkNoHorizontalScroll() {
	b.t.Helper()
	require.Zero(b.t, value[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"))
}

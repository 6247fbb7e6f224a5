package browser

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestModules calls functions of the JavaScript modules in the browser.
func TestModules(t *testing.T) {
	t.Parallel()
	_, e := serveMembers(t, 1)
	b := openTab(t, 800, 600)
	b.open(e.url("/"))
	for _, tt := range []struct{ module, expression, want string }{
		{"format", `duration(0.4)`, "0s"},
		{"format", `duration(59.6)`, "1m"},
		{"format", `duration(3 * 3600 + 59)`, "3h"},
		{"format", `duration(86400 + 7200 + 60)`, "1d 2h"},
		{"format", `measured(0.0012)`, "1ms"},
		{"format", `measured(2)`, "2s"},
		{"format", `measured(2.14)`, "2.1s"},
		{"format", `measured(61)`, "1m 1s"},
		{"format", `count(1, "member") + count(12000, "member")`, "1 member12,000 members"},
		{"format", `number(1234567)`, "1,234,567"},

		// The server alone says whether a source was read recently: no clock of the browser and no time in the answer matters.
		{"sources", `health({ up: true })`, "new"},
		{"sources", `health({ up: false, stale: false, last_attempt: "2026-11-25T00:00:00Z" })`, "blind"},
		{"sources", `health({ up: true, stale: false, last_attempt: "1999-11-25T00:00:00Z", last_success: "1999-11-25T00:00:00Z" })`, "up"},
		{"sources", `health({ up: true, stale: true, last_attempt: "2999-11-25T00:00:00Z", last_success: "2999-11-25T00:00:00Z" })`, "stale"},

		{"sources", `runbook({ up: false, last_attempt: "x" }).getAttribute("href")`, "runbooks/ServiceGroupSourceUnreachable"},
		{"sources", `runbook({ up: true, stale: true, last_attempt: "x", problems: [{}] }).getAttribute("href")`, "runbooks/ServiceGroupViewStale"},
		{"sources", `runbook({ up: true, stale: false, last_attempt: "x", problems: [{ problem: "absent", detail: "y" }] }).getAttribute("href")`, "runbooks/ServiceGroupSourceProblem"},
		{"sources", `String(runbook({ up: true, stale: false, last_attempt: "x", problems: [] })) + runbook({ up: false })`, "nullnull"},

		{"store", `notes({ state: "unknown", down: true, enabled: false, disabled_reason: "AUTO: libvirt" })`, "down when last known; disabled: AUTO: libvirt"},
		{"store", `notes({ state: "up", suspected: true, overdue_seconds: 0.4 })`, "suspected: heartbeat overdue by 400ms"},
		{"rows", `heartbeatAge({ heartbeat_age_seconds: 0.2 }) + heartbeatAge({})`, "200ms"},
		{"store", `notes({ state: "down", down: true, disabled_reason: "", forced_down: true, fenced: true })`, "forced down after it died"},

		{"select", `JSON.stringify(readFilter("?source=a%26b&state=dead&q=%3Cx"))`, `{"q":"<x","source":"a&b","group":"","zone":"","state":"","sort":"","page":""}`},
		{"select", `["?sort=member", "?sort=-since", "?sort=nonsense", "?sort=--state"].map((q) => readFilter(q).sort).join()`, "member,-since,,"},
		{"select", `["", "0", "-3", "x", "2", "99"].map((page) => pageOf(Array(120).fill(0), { page }).page).join()`, "1,1,1,1,2,3"},

		{"histogram", combined, `{"total":7,"seconds":33,"buckets":[{"le":1,"n":3},{"le":5,"n":2},{"le":null,"n":2}]}`},
		{"histogram", `quantile({ total: 100, buckets: [{ le: 1, n: 98 }, { le: 5, n: 1 }, { le: 10, n: 1 }] }, 0.99)`, "5"},
	} {
		got := value[string](b, `import("./assets/`+tt.module+`.js").then((m) => { with (m) { return String(`+tt.expression+`); } })`)
		require.Equal(t, tt.want, got, tt.expression)
	}
	b.checkNoMessages()
}

// combined merges the cumulative buckets of two groups. The second group has observations above its last bucket.
const combined = `JSON.stringify(combine([
	{ count: 3, sum_seconds: 3, buckets: [{ le: 1, count: 2 }, { le: 5, count: 3 }] },
	{ count: 4, sum_seconds: 30, buckets: [{ le: 1, count: 1 }, { le: 5, count: 2 }] }]))`

// The page does not violate its Content-Security-Policy, and a violation causes a message.
func TestContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	_, e := serveMembers(t, 1)
	b := openTab(t, 800, 600)
	b.open(e.url("/"))
	b.checkNoMessages()
	for _, violation := range []string{
		`document.body.setAttribute("style", "color: red")`,
		`document.body.append(Object.assign(document.createElement("script"), { textContent: "window.broken = 1" }))`,
		`document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.broken = 1'>")`,
		`document.body.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.1:9/x" }))`,
		`fetch("http://127.0.0.1:9/").catch(() => 0)`,
	} {
		b.do(script(violation))
		require.Eventually(t, func() bool { return len(b.clearMessages()) > 0 }, waitTimeout, quick, violation)
	}
	require.False(t, value[bool](b, `"broken" in window`))
}

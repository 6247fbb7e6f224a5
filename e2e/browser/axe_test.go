package browser

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A finding is an accessibility rule that a page violates.
type finding struct {
	Rule    string   `json:"rule"`
	Impact  string   `json:"impact"`
	Help    string   `json:"help"`
	Targets []string `json:"targets"`
}

// checkAccessibility runs all rules of axe-core on the current page, and fails if there is a finding.
func (b *tab) checkAccessibility(state string) {
	b.t.Helper()
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	require.NoError(b.t, err, "axe-core is not installed: run `make deps`, or `npm ci` in e2e/browser")
	b.do(script(string(axe)))
	result := value[struct {
		Passed   int       `json:"passed"`
		Findings []finding `json:"findings"`
	}](b, `axe.run().then(({ passes, violations }) => ({
		passed: passes.length,
		findings: violations.map((v) => ({ rule: v.id, impact: v.impact, help: v.help, targets: v.nodes.map((n) => n.target.join(" ")) })),
	}))`)
	require.Empty(b.t, result.Findings, state)
	require.Greater(b.t, result.Passed, 10, "%s: axe-core has checked too few rules", state)
}

// accessibility checks every page and state, in both color schemes.
func accessibility(t *testing.T, e *exporter) {
	b := openTab(t, 1280, 860)
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, path := range []string{
			"/", "/?state=down", "/?q=none", "/?sort=-heartbeat", memberPath("nova", "compute", "cmp-03"), "/hosts", hostPath("cmp-03"),
		} {
			b.open(e.url(path))
			b.checkAccessibility(fmt.Sprintf("%s, %s", path, scheme))
		}
		for _, path := range []string{"/runbooks/", "/runbooks/ServiceGroupMemberDown", "/api/"} {
			b.clearMessages() // axe-core adds inline styles, which the Content-Security-Policy forbids.
			b.do(chromedp.Navigate(e.url(path)))
			b.checkNoMessages()
			b.checkAccessibility(fmt.Sprintf("%s, %s", path, scheme))
		}
	}
	b.open(e.url("/"))
	e.process.Kill()
	b.has("#live", "Not live")
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		b.checkAccessibility("not live, " + scheme)
	}
}

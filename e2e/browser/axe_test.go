package browser

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A finding is a rule of accessibility that a page breaks.
type finding struct {
	Rule    string   `json:"rule"`
	Impact  string   `json:"impact"`
	Help    string   `json:"help"`
	Targets []string `json:"targets"`
}

// accessible runs all of axe-core's rules on the page as it is, and expects no finding.
func (b *tab) accessible(what string) {
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
	require.Empty(b.t, result.Findings, what)
	require.Greater(b.t, result.Passed, 10, "%s: axe-core has not looked at much", what)
}

// Nothing that a tool can find keeps anybody from using the pages, in the light and in the dark, whatever they show.
func accessibility(t *testing.T, e *exporter) {
	b := openTab(t, 1280, 860)
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, path := range []string{
			"/", "/?state=down", "/?q=nobody", memberPath("nova", "compute", "cmp-03"), memberPath("nova", "compute", "gone"),
		} {
			b.open(e.url(path))
			b.accessible(fmt.Sprintf("%s in the %s", path, scheme))
		}
		for _, path := range []string{"/runbooks/", "/runbooks/ServiceGroupMemberDown"} {
			b.complaints() // about axe-core, which measures with styles of its own
			b.do(chromedp.Navigate(e.url(path)))
			b.quiet()
			b.accessible(fmt.Sprintf("%s in the %s", path, scheme))
		}
	}
	b.open(e.url("/"))
	kill(e.cmd)
	b.has("#live", "Not live")
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		b.accessible("not live in the " + scheme)
	}
}

package cli

import (
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/runbooks"
	"servicegroup_exporter/web"
)

// Every runbook is served, its Markdown was rendered completely, and its links lead to pages that exist.
func TestRunbooksAreServed(t *testing.T) {
	handler := web.NewRunbooks(runbooks.Pages(), alerts.BaseName)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/runbooks/"+path, nil))
		body, err := io.ReadAll(w.Result().Body)
		require.NoError(t, err)
		return w.Code, string(body)
	}
	_, want := get(alerts.MemberDown)
	_, page := get(alerts.MemberDown + "Warning")
	require.Equal(t, want, page)
	for _, name := range append([]string{""}, runbooks.Names()...) {
		status, page := get(name)
		require.Equal(t, 200, status, name)
		require.NotContains(t, page, "raw HTML omitted", name)
		text := regexp.MustCompile(`(?s)<pre>.*?</pre>`).ReplaceAllString(page, "")
		require.NotRegexp(t, "```|\\]\\(|\\*\\*|(?m)^ *(#|\\|)", text, "%s: Markdown that was not rendered", name)
		for _, match := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if match[1] != "./" && !strings.HasPrefix(match[1], "../") {
				require.Contains(t, runbooks.Names(), match[1], name)
			}
		}
	}
}

// The commands of this program in the runbooks can be parsed.
func TestRunbooksCommands(t *testing.T) {
	count := 0
	for _, name := range append([]string{"README"}, runbooks.Names()...) {
		text, err := os.ReadFile("../alerts/runbooks/" + name + ".md")
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`(?m)^ *servicegroup_exporter (.*)$`).FindAllSubmatch(text, -1) {
			a := &cli{}
			a.parser()
			_, err := a.kingpin.Parse(strings.Fields(string(match[1])))
			require.NoError(t, err, "%s: %s", name, match[0])
			require.Equal(t, "CONFIG", a.configFile, name)
			count++
		}
	}
	require.Greater(t, count, 20)
}

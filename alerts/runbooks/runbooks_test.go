package runbooks_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/runbooks"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// pages returns the text of every Markdown file: one for each alert, and the introduction.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.md")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		texts[file] = string(text)
	}
	return texts
}

func TestNames(t *testing.T) {
	names := runbooks.Names()
	require.True(t, slices.IsSorted(names))
	require.Contains(t, names, "ServiceGroupMemberDown")
	require.NotContains(t, names, "README")
	require.Len(t, pages(t), len(names)+1)
}

// All runbooks have the same sections.
func TestSections(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^(#+) (.*)$`)
	for _, name := range runbooks.Names() {
		text := pages(t)[name+".md"]
		var headings []string
		for _, match := range heading.FindAllStringSubmatch(regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, ""), -1) {
			headings = append(headings, match[0])
		}
		require.Equal(t, []string{"# " + name, "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"}, headings)
		for _, section := range heading.Split(text, -1)[2:] {
			require.Greater(t, len(strings.TrimSpace(section)), 40, name)
		}
		require.Regexp(t, `(?m)^It (never )?resolves by itself`, text, "%s does not say when the alert ends", name)
		require.Regexp(t, `(?m)^Not the cause: `, text, "%s does not say what is not the cause", name)
	}
}

func TestLinks(t *testing.T) {
	texts := pages(t)
	for file, text := range texts {
		for _, match := range regexp.MustCompile(`\[([^]]*)\]\(([^)]*)\)`).FindAllStringSubmatch(text, -1) {
			require.Contains(t, texts, match[2], file)
			require.Equal(t, match[2], match[1]+".md", file)
			require.NotEqual(t, file, match[2], "a page links to itself")
		}
	}
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) []string {
	var found []string
	for _, match := range regexp.MustCompile("(?ms)^( *)```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(text, -1) {
		found = append(found, strings.TrimSuffix(strings.ReplaceAll("\n"+match[2], "\n"+match[1], "\n")[1:], "\n"))
	}
	return found
}

// Prometheus parses every query.
func TestQueries(t *testing.T) {
	promtool := testserver.Promtool(t)
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: runbooks\n    rules:\n")
	count := 0
	for file, text := range pages(t) {
		for _, query := range blocks(text, "promql") {
			require.NotContains(t, query, "\n", "%s: a query is one line", file)
			fmt.Fprintf(&rules, "      - {record: 'runbook:%d', labels: {file: %s}, expr: %q}\n", count, file, query)
			count++
		}
	}
	require.Greater(t, count, 40)
	path := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(path, []byte(rules.String()), 0o600))
	out, err := exec.Command(promtool, "check", "rules", path).CombinedOutput()
	require.NoError(t, err, string(out))
}

// The metrics in the runbooks exist.
func TestMetrics(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference/metrics.md") // It is generated from the registered metrics.
	require.NoError(t, err)
	for file, text := range pages(t) {
		for _, name := range regexp.MustCompile(`\bservicegroup_[a-z_]+`).FindAllString(text, -1) {
			name = strings.TrimSuffix(name, "_bucket")
			if name == "servicegroup_exporter" {
				continue
			}
			require.Contains(t, string(reference), "`"+name+"`", file)
		}
	}
}

// Every silence has a comment and a duration, and matches labels of alerts.
func TestSilences(t *testing.T) {
	label := regexp.MustCompile(`^'?(alertname|source|group|member|host|zone|instance|LABEL)=~?(.*?)'?$`)
	count := 0
	for file, text := range pages(t) {
		for _, block := range blocks(text, "sh") {
			for line := range strings.Lines(block) {
				_, matchers, found := strings.Cut(line, " silence add ")
				if !found {
					continue
				}
				count++
				require.Contains(t, line, "amtool --alertmanager.url=http://ALERTMANAGER:9093 ", file)
				require.Regexp(t, `^--duration=\d+[mh] --comment='TICKET' `, matchers, file)
				for _, matcher := range strings.Fields(matchers)[2:] {
					match := label.FindStringSubmatch(matcher)
					require.NotNil(t, match, "%s: %s", file, matcher)
					if match[1] == "alertname" && !strings.HasPrefix(match[2], `"`) {
						require.Contains(t, runbooks.Names(), match[2], file)
					}
				}
			}
		}
	}
	require.Greater(t, count, 10)
}

// Every alert has a runbook and links to it, and every runbook is of an alert.
func TestEveryAlertHasARunbook(t *testing.T) {
	require.ElementsMatch(t, alerts.Names(), runbooks.Names())
	c := config.DefaultAlerting()
	for _, rule := range alerts.Rules(&c) {
		if rule.Alert != "" {
			require.Equal(t, c.ExternalURL+"/runbooks/"+rule.Alert, rule.Annotations["runbook_url"])
		}
	}
}

package dashboards_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
)

// Alerts and other pages link to these UIDs.
func TestUIDs(t *testing.T) {
	uids := map[string]string{}
	for name, b := range boards(t) {
		uids[name] = b.UID
	}
	require.Equal(t, map[string]string{
		"overview.json": "servicegroup-overview", "group.json": "servicegroup-group",
		"detection.json": "servicegroup-detection", "exporter.json": "servicegroup-exporter",
	}, uids)
}

// allLinks returns the links of the dashboard and of its panels' cells.
func (b *board) allLinks(t *testing.T) []link {
	t.Helper()
	all := b.Links
	for _, p := range b.panels() {
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if property.ID == "links" {
					var links []link
					require.NoError(t, json.Unmarshal(property.Value, &links))
					all = append(all, links...)
				}
			}
		}
	}
	return all
}

func TestLinksResolve(t *testing.T) {
	byUID := map[string]*board{}
	for _, b := range boards(t) {
		byUID[b.UID] = b
	}
	for uid, b := range byUID {
		leads := map[string]bool{}
		for _, env := range b.allLinks(t) {
			require.NotEmpty(t, env.Title)
			checkVariables(t, b, env.URL)
			switch path, query, _ := strings.Cut(env.URL, "?"); {
			case strings.HasPrefix(path, "/d/"):
				aim := byUID[strings.TrimPrefix(path, "/d/")]
				require.NotNil(t, aim, env.URL)
				leads[aim.UID] = true
				for _, name := range regexp.MustCompile(`var-(\w+)=`).FindAllStringSubmatch(query, -1) {
					_, exists := aim.variable(name[1])
					require.True(t, exists, "%s has no variable %s", aim.UID, name[1])
				}
			case strings.HasPrefix(path, "${exporter:raw}/runbooks/"):
				checkRunbook(t, strings.TrimPrefix(path, "${exporter:raw}/runbooks/"))
			default:
				require.Equal(t, "${exporter:raw}/member", path)
			}
		}
		delete(leads, uid)
		require.Len(t, leads, len(byUID)-1, "%s leads to every other dashboard", uid)
	}
}

// checkVariables checks that the variables in a link exist. Values of cells must be encoded, because names may contain any
// character.
func checkVariables(t *testing.T, b *board, url string) {
	t.Helper()
	for _, found := range regexp.MustCompile(`\$\{([^}]*)\}`).FindAllStringSubmatch(url, -1) {
		name, format, _ := strings.Cut(found[1], ":")
		if strings.HasPrefix(name, "__data.fields.") {
			require.Equal(t, "percentencode", format, url)
			continue
		}
		_, exists := b.variable(name)
		require.True(t, exists || strings.HasPrefix(name, "__url_"), "%s: %s", url, name)
	}
}

// checkRunbook checks that the alert of a runbook exists.
func checkRunbook(t *testing.T, alert string) {
	t.Helper()
	if alert == "${__data.fields.Alert:percentencode}" {
		return // A variable: the name of one of the rules' alerts.
	}
	require.Contains(t, alerts.Names(), alert)
	require.FileExists(t, "../alerts/runbooks/"+alert+".md")
}

// Alerts link to a dashboard on which their source, group and member are selected.
func TestLinksOfAlertsResolve(t *testing.T) {
	byUID := map[string]*board{}
	for _, b := range boards(t) {
		byUID[b.UID] = b
	}
	cfg := config.DefaultAlerting()
	cfg.GrafanaURL = "https://grafana.example.com"
	cfg.Groups = []config.AlertGroup{{Group: "compute", MinMembers: 3}}
	linked := map[string]bool{}
	for _, rule := range alerts.Rules(&cfg) {
		if rule.Alert == "" {
			continue
		}
		link := rule.Annotations["dashboard_url"]
		linked[rule.Alert] = true
		path, query, _ := strings.Cut(strings.TrimPrefix(link, cfg.GrafanaURL+"/d/"), "?")
		require.Contains(t, byUID, path, rule.Alert)
		for _, name := range regexp.MustCompile(`var-(\w+)=`).FindAllStringSubmatch(query, -1) {
			_, exists := byUID[path].variable(name[1])
			require.True(t, exists, "%s: %s has no variable %s", rule.Alert, path, name[1])
		}
	}
	require.ElementsMatch(t, alerts.Names(), slices.Collect(maps.Keys(linked)))
}

// The shipped rules record all series with the prefix servicegroup: that the dashboards use.
func TestRulesOfQueriesExist(t *testing.T) {
	rules, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	for name, b := range boards(t) {
		for where, expr := range b.exprs() {
			for _, record := range regexp.MustCompile(`servicegroup:[\w:]+`).FindAllString(expr, -1) {
				require.Contains(t, string(rules), "record: "+record+"\n", "%s: %s", name, where)
			}
			for _, alert := range regexp.MustCompile(`alertname!?="(\w+)"`).FindAllStringSubmatch(expr, -1) {
				require.Contains(t, alerts.Names(), alert[1], "%s: %s", name, where)
			}
		}
	}
}

// Thresholds of alerts in panels equal the thresholds in the rules.
func TestThresholdsEqualTheRules(t *testing.T) {
	rules, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	all := boards(t)
	for _, c := range []struct{ board, panel, query, rule string }{
		{"detection.json", "Detection latency against the target", `timeout_seconds{.*}\) \+ 90`, `timeout_seconds.*\) \+ 90\n`},
		{"detection.json", "Detection latency against the target", `\[1h\]`, `servicegroup_detection_latency_seconds_bucket.*\[1h\]`},
	} {
		var exprs []string
		for _, q := range all[c.board].panel(t, c.panel).Targets {
			exprs = append(exprs, q.Expr)
		}
		require.Regexp(t, c.query, strings.Join(exprs, "\n"))
		require.Regexp(t, c.rule, string(rules))
	}
}

// Where a source can't be read, the table of sources leads to what to do.
func TestSourcesLeadToTheRunbook(t *testing.T) {
	links := boards(t)["overview.json"].allLinks(t)
	require.True(t, slices.ContainsFunc(links, func(l link) bool { return l.URL == "${exporter:raw}/runbooks/ServiceGroupSourceUnreachable" }))
}

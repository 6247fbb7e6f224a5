package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
)

// configured returns changed default settings.
func configured(t *testing.T, change func(*config.Alerting)) *config.Alerting {
	t.Helper()
	c := config.DefaultAlerting()
	change(&c)
	require.NoError(t, c.Validate())
	return &c
}

// Two configurations share a Prometheus: each has alerts about its own sources alone, by its own settings. Their sources differ, or
// their clusters.
func TestTwoConfigurations(t *testing.T) {
	a := configured(t, func(c *config.Alerting) {
		c.Selector, c.Labels = `source="nova", cluster="a"`, map[string]string{"team": "a"}
		c.Groups = []config.AlertGroup{{Group: "compute", MinMembers: 5, Severity: severityWarning}}
	})
	b := configured(t, func(c *config.Alerting) {
		c.Selector, c.Labels = `source="nova", cluster="b"`, map[string]string{"team": "b"}
		c.Groups = []config.AlertGroup{{Group: "compute", DegradedRatio: 0.9}}
	})
	other := configured(t, func(c *config.Alerting) {
		c.Selector, c.Labels = `source=~"zk(/.+)?"`, map[string]string{"team": "zk"}
	})
	dir := t.TempDir()
	var groups []string
	for name, c := range map[string]*config.Alerting{"a.yml": a, "b.yml": b, "zk.yml": other} {
		rules, err := RuleFile(c)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), rules, 0o666))
		groups = append(groups, groupName(c))
	}
	require.NotEqual(t, groups[0], groups[1])
	require.NotEqual(t, groups[1], groups[2])
	tests, err := os.ReadFile("testdata/configurations.yml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tests.yml"), tests, 0o666))
	runPromtool(t, dir, "test", "rules", "tests.yml")
}

// Each name of an alert has one severity, whatever the settings are.
func TestOneSeverityForEachName(t *testing.T) {
	severities := map[string]string{}
	for _, severity := range config.Severities() {
		c := configured(t, func(c *config.Alerting) {
			c.Severities = map[string]string{}
			for _, name := range config.AlertNames() {
				c.Severities[name] = severity
			}
			c.Groups = []config.AlertGroup{
				{Group: "a", Severity: severityWarning, MinMembers: 1}, {Group: "b", Severity: severityCritical}, {Group: "c", Severity: severityNone},
			}
		})
		for _, rule := range Rules(c) {
			if rule.Alert == "" {
				continue
			}
			if before, ok := severities[rule.Alert]; ok {
				require.Equal(t, before, rule.Labels["severity"], rule.Alert)
			}
			severities[rule.Alert] = rule.Labels["severity"]
			base := strings.TrimPrefix(rule.Annotations["runbook_url"], c.ExternalURL+"/runbooks/")
			require.Contains(t, config.AlertNames(), base)
			require.True(t, strings.HasPrefix(rule.Alert, base))
		}
	}
	require.Equal(t, severityCritical, severities["ServiceGroupMemberDown"])
	require.Equal(t, severityWarning, severities["ServiceGroupMemberDownWarning"])
}

func TestOmittedAlerts(t *testing.T) {
	omitted := []string{"ServiceGroupExporterAbsent", "ServiceGroupDataMissing", "ServiceGroupWatchdog"}
	before := Rules(configured(t, func(*config.Alerting) {}))
	after := Rules(configured(t, func(c *config.Alerting) { c.OmitAlerts = omitted }))
	require.Len(t, after, len(before)-len(omitted))
	for _, rule := range after {
		require.NotContains(t, omitted, rule.Alert)
	}
}

// Without host_label no alert about a member has a label host, and another host_label is one more.
func TestHostLabel(t *testing.T) {
	id := ID{Alert: MemberDown, Source: "cinder", Group: "volume", Member: "c1@lvm#pool", Host: "c1"}
	host := ID{Alert: HostDown, Host: "c1"}
	for setting, want := range map[string]map[string]string{
		"":     {},
		"host": {"host": "c1"},
		"node": {"host": "c1", "node": "c1"},
	} {
		c := configured(t, func(c *config.Alerting) { c.HostLabel = setting })
		labels := NewBuilder(c).Build(id, Facts{}).Labels
		for _, name := range []string{"host", "node"} {
			require.Equal(t, want[name], labels[name], setting)
		}
		labels = NewBuilder(c).Build(host, Facts{}).Labels
		require.Equal(t, "c1", labels["host"], "it is about a host")
		require.Equal(t, want["node"], labels["node"], setting)
		for _, rule := range Rules(c) {
			if rule.Alert == MemberDown {
				require.Equal(t, setting != "", strings.Contains(rule.Expr, "host"))
			}
		}
	}
}

// Every expression has the label of the cluster wherever it groups or joins, and selects its own sources.
func TestExpressions(t *testing.T) {
	c := configured(t, func(c *config.Alerting) {
		c.ClusterLabel, c.Selector = "region", `source="nova", region="a"`
		c.Groups = []config.AlertGroup{{Source: "nova", Group: "g", MinMembers: 1, DegradedRatio: 0.5, Severity: severityInfo}}
	})
	joins := regexp.MustCompile(`\b(by|on) \(([^)]*)\)`)
	series := regexp.MustCompile(`\b(servicegroup_\w+|servicegroup:\w+|up)(\{[^}]*\})?`)
	exporters := regexp.MustCompile(`^(up|servicegroup_label_check|servicegroup_config_.*|servicegroup_host_up|servicegroup_host_down_since_.*|servicegroup_events_.*|servicegroup_notifications_.*)$`)
	for _, rule := range Rules(c) {
		for _, match := range joins.FindAllStringSubmatch(rule.Expr, -1) {
			if match[0] != "on ()" { // Nothing at all, in any cluster.
				require.True(t, strings.HasPrefix(match[2], "region"), "%s%s: %s", rule.Record, rule.Alert, match[0])
			}
		}
		require.NotContains(t, rule.Expr, "cluster")
		if rule.Alert == "ServiceGroupJobMismatch" || rule.Record == hostAnswersRecord { // Which hosts answer is the user's expression.
			continue
		}
		for _, match := range series.FindAllStringSubmatch(strings.ReplaceAll(rule.Expr, `"servicegroup_exporter"`, ""), -1) {
			require.Contains(t, match[2], `region="a"`, "%s%s: %s", rule.Record, rule.Alert, match[0])
			require.Equal(t, !exporters.MatchString(match[1]), strings.Contains(match[2], `source="nova"`), "%s", match[0])
		}
	}
	file, err := RuleFile(c)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(path, file, 0o666))
	runPromtool(t, ".", "check", "rules", path)
}

package alerts

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestShippedFiles(t *testing.T) {
	c := DefaultConfig()
	for path, write := range map[string]func() ([]byte, error){
		"servicegroup.rules.yml":          c.RuleFile,
		"servicegroup.prometheusrule.yml": c.PrometheusRule,
	} {
		want, err := write()
		require.NoError(t, err)
		shipped, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), string(shipped), "run make generate")
	}
}

func TestPrometheusRule(t *testing.T) {
	c := settings(t)
	file, err := c.RuleFile()
	require.NoError(t, err)
	manifest, err := c.PrometheusRule()
	require.NoError(t, err)
	var rules any
	require.NoError(t, yaml.Unmarshal(file, &rules))
	var decoded map[string]any
	require.NoError(t, yaml.Unmarshal(manifest, &decoded))
	require.Equal(t, map[string]any{
		"apiVersion": "monitoring.coreos.com/v1",
		"kind":       "PrometheusRule",
		"metadata": map[string]any{
			"name":   "servicegroup",
			"labels": map[string]any{"app.kubernetes.io/name": "servicegroup-exporter"},
		},
		"spec": rules,
	}, decoded)
}

// TestRulesSayEverything wants of each alert what routes, inhibitions and people need.
func TestRulesSayEverything(t *testing.T) {
	for _, c := range []*Config{settings(t), new(DefaultConfig())} {
		for _, r := range c.Rules() {
			if r.Alert == "" {
				require.NotEmpty(t, r.Record)
				continue
			}
			require.Contains(t, severities(), r.Labels["severity"], r.Alert)
			require.Contains(t, []string{"member", "group", "source", "exporter"}, r.Labels["scope"], r.Alert)
			for _, name := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
				require.NotEmpty(t, r.Annotations[name], "%s of %s", name, r.Alert)
			}
		}
	}
}

package alerts

import (
	"os"
	"slices"
	"testing"

	"servicegroup_exporter/config"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestShippedFiles(t *testing.T) {
	c := config.DefaultAlerting()
	for path, write := range map[string]func(*config.Alerting) ([]byte, error){
		"servicegroup.rules.yml":          RuleFile,
		"servicegroup.prometheusrule.yml": PrometheusRule,
	} {
		want, err := write(&c)
		require.NoError(t, err)
		shipped, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), string(shipped), "run make generate")
	}
}

func TestPrometheusRule(t *testing.T) {
	c := settings(t)
	file, err := RuleFile(c)
	require.NoError(t, err)
	manifest, err := PrometheusRule(c)
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

// Each rule has the labels and annotations that routes, inhibitions and people need.
func TestRulesAreComplete(t *testing.T) {
	for _, c := range []*config.Alerting{settings(t), new(config.DefaultAlerting())} {
		for _, r := range Rules(c) {
			if r.Alert == "" {
				require.NotEmpty(t, r.Record)
				continue
			}
			require.Contains(t, config.Severities(), r.Labels["severity"], r.Alert)
			require.Contains(t, []string{"zone", "host", "member", "group", "source", "exporter"}, r.Labels["scope"], r.Alert)
			for _, name := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
				require.NotEmpty(t, r.Annotations[name], "%s of %s", name, r.Alert)
			}
		}
	}
}

// The configuration refuses settings of other alerts than those that there are.
func TestNames(t *testing.T) {
	names := Names()
	require.Equal(t, config.AlertNames(), names)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), len(names), "two alerts have the same name")
	for _, name := range []string{ZoneDown, HostDown, MemberDown, MemberSuspected, Degraded, Outage, BelowMinimum, MassFailure} {
		require.Contains(t, names, name)
		require.True(t, IsPosted(name))
	}
	require.False(t, IsPosted("ServiceGroupWatchdog"))
}

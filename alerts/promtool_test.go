package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/rulestest"
	"servicegroup_exporter/internal/testserver"
)

// The files in the folder tests are for promtool: `promtool test rules alerts/tests/*.yml`. Other evaluators run them in
// e2e/evaluators.

func TestRules(t *testing.T) {
	runPromtool(t, ".", "check", "rules", "servicegroup.rules.yml")
	rules, err := os.ReadFile("servicegroup.rules.yml")
	require.NoError(t, err)
	promtool := rulestest.Promtool("promtool", testserver.Promtool(t))
	for _, path := range ruleTests(t) {
		promtool.Run(t, rules, path)
	}
	promtool.RunBesideSecondCloud(t, rules, "tests/member_down.yml") // the others: e2e/evaluators
}

// ruleTests returns the files with tests of the shipped rules, without those that need Prometheus 3.
func ruleTests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("tests/*.yml")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { return strings.HasPrefix(file, "tests/prometheus3_") })
	require.NotEmpty(t, files)
	return files
}

func runPromtool(t *testing.T, dir, command string, args ...string) {
	t.Helper()
	cmd := exec.Command(testserver.Promtool(t), append([]string{command}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// settingsTests has tests of the rules that settingsConfig generates: of alerts that settings change.
const (
	settingsTests  = "testdata/settings.yml"
	settingsConfig = "testdata/settings.config.yml"
)

func TestRulesOfSettings(t *testing.T) {
	rules, err := RuleFile(settings(t))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "settings.rules.yml"), rules, 0o666))
	runPromtool(t, dir, "check", "rules", "settings.rules.yml")
	promtool := rulestest.Promtool("promtool", testserver.Promtool(t))
	promtool.Run(t, rules, settingsTests)
	promtool.RunBesideSecondCloud(t, rules, settingsTests)
}

// With hosts: {page: confirmed}, the alert about a host waits until a member on it is down by the rule of its service.
func TestRulesOfConfirmedHosts(t *testing.T) {
	c := config.DefaultAlerting()
	c.PageConfirmedHosts = true
	rules, err := RuleFile(&c)
	require.NoError(t, err)
	rulestest.Promtool("promtool", testserver.Promtool(t)).Run(t, rules, "testdata/confirmed.yml")
}

// The rules that give renamed series their old names.
func TestRenamedRules(t *testing.T) {
	rules, err := os.ReadFile("../docs/renamed.rules.yml")
	require.NoError(t, err)
	tests, err := os.ReadFile("testdata/renamed.yml")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "renamed.rules.yml"), rules, 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "renamed.yml"), tests, 0o666))
	runPromtool(t, dir, "check", "rules", "renamed.rules.yml")
	runPromtool(t, dir, "test", "rules", "renamed.yml")
}

// settings returns the configuration of settingsConfig.
func settings(t *testing.T) *config.Alerting {
	t.Helper()
	c := config.DefaultAlerting()
	decodeFile(t, settingsConfig, &c)
	require.NoError(t, c.Validate())
	return &c
}

// Every alert has a test in which it fires, and one in which it does not.
func TestEveryAlertHasTests(t *testing.T) {
	firing, quiet := map[string]bool{}, map[string]bool{}
	for _, path := range append(ruleTests(t), settingsTests) {
		var file struct {
			Tests []struct {
				AlertRuleTest []struct {
					Alertname string      `yaml:"alertname"`
					ExpAlerts []yaml.Node `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			} `yaml:"tests"`
		}
		decodeFile(t, path, &file)
		for _, test := range file.Tests {
			for _, check := range test.AlertRuleTest {
				if len(check.ExpAlerts) > 0 {
					firing[check.Alertname] = true
				} else {
					quiet[check.Alertname] = true
				}
			}
		}
	}
	for _, name := range Names() {
		require.True(t, firing[name], "there is no test in which %s fires", name)
		if name != "ServiceGroupWatchdog" { // It always fires.
			require.True(t, quiet[name], "there is no test in which %s is quiet", name)
		}
	}
}

func decodeFile(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, v), path)
}

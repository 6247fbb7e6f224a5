package evaluators

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/rulestest"
	"servicegroup_exporter/internal/testserver"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// TestRules runs the test files of the rules in newer evaluators. `make test` runs them in Debian's promtool, but only one of them
// beside a second cloud; the others run so here.
func TestRules(t *testing.T) {
	t.Parallel() // The other tests wait for most of their time.
	folder := filepath.Join(testserver.ModuleDir(t), "alerts")
	rules, err := os.ReadFile(filepath.Join(folder, "servicegroup.rules.yml"))
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(folder, "tests", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	debian := rulestest.Promtool("promtool of Debian", testserver.Promtool(t))
	for _, file := range files {
		if !strings.HasPrefix(filepath.Base(file), "prometheus3_") {
			debian.RunBesideSecondCloud(t, rules, file)
		}
	}
	for i, e := range []rulestest.Evaluator{
		rulestest.Promtool("promtool", testserver.Built(t, "promtool")),
		rulestest.VMAlertTool("vmalert-tool", testserver.Built(t, "vmalert-tool")),
	} {
		for _, file := range files {
			if i == 0 || !strings.HasPrefix(filepath.Base(file), "prometheus3_") {
				e.Run(t, rules, file)
				e.RunBesideSecondCloud(t, rules, file)
			}
		}
		settings := filepath.Join(folder, "testdata", "settings.yml")
		e.Run(t, rulesOfSettings(t, folder), settings)
		e.RunBesideSecondCloud(t, rulesOfSettings(t, folder), settings)
	}
}

// rulesOfSettings returns the rules of the configuration that the tests of settings are for.
func rulesOfSettings(t *testing.T, folder string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "testdata", "settings.config.yml"))
	require.NoError(t, err)
	c := config.DefaultAlerting()
	require.NoError(t, yaml.Unmarshal(text, &c))
	require.NoError(t, c.Validate())
	rules, err := alerts.RuleFile(&c)
	require.NoError(t, err)
	return rules
}

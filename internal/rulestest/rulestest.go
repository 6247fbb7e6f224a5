// Package rulestest runs the tests of the rules, which are files for promtool, in several evaluators and two forms: as they
// are, and beside a second cloud with the same names that is healthy.
package rulestest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// An Evaluator is a program that tests rules.
type Evaluator struct {
	name, path string
	args       []string // before the path of the file
	exprTest   string   // the key of tests of expressions
	late       bool     // it sees what it has recorded only at the next evaluation
}

// Promtool returns Prometheus' promtool.
func Promtool(name, path string) Evaluator {
	return Evaluator{name, path, []string{"test", "rules"}, "promql_expr_test", false}
}

// VMAlertTool returns VictoriaMetrics' vmalert-tool. It evaluates the rules as vmalert does with -disableAlertgroupLabel.
func VMAlertTool(name, path string) Evaluator {
	return Evaluator{name, path, []string{"unittest", "--disableAlertgroupLabel", "--files"}, "metricsql_expr_test", true}
}

// A file is a test file of promtool. https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
type file struct {
	RuleFiles          []string    `yaml:"rule_files"`
	EvaluationInterval string      `yaml:"evaluation_interval"`
	Tests              []*testCase `yaml:"tests"`
}

// A testCase is one test of a file.
type testCase struct {
	Name          string      `yaml:"name"`
	Interval      string      `yaml:"interval,omitempty"` // of the samples; the evaluation interval by default
	InputSeries   []series    `yaml:"input_series"`
	AlertRuleTest []alertTest `yaml:"alert_rule_test,omitempty"`
	ExprTest      []exprTest  `yaml:"promql_expr_test,omitempty"`
}

type series struct {
	Series string `yaml:"series"` // in PromQL
	Values string `yaml:"values"` // in promtool's notation
}

type alertTest struct {
	Alertname string  `yaml:"alertname"`
	EvalTime  string  `yaml:"eval_time"`
	ExpAlerts []alert `yaml:"exp_alerts,omitempty"`
}

type alert struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

type exprTest struct {
	Expr       string   `yaml:"expr"`
	EvalTime   string   `yaml:"eval_time"`
	ExpSamples []sample `yaml:"exp_samples"`
}

type sample struct {
	Labels string  `yaml:"labels"` // in PromQL
	Value  float64 `yaml:"value"`
}

// Run runs each case of a test file with these rules as a test of its own.
func (e Evaluator) Run(t *testing.T, rules []byte, path string) {
	t.Helper()
	f := read(t, path)
	t.Run(e.name+"/"+filepath.Base(path), func(t *testing.T) { e.run(t, rules, f) })
}

// RunBesideSecondCloud runs each case of a test file with these rules beside a second cloud, which has the same names and is
// healthy. It runs no file with "clusters" in its name, which has several clouds already, and no case with "one cloud" in its
// name.
func (e Evaluator) RunBesideSecondCloud(t *testing.T, rules []byte, path string) {
	t.Helper()
	if strings.Contains(filepath.Base(path), "clusters") {
		return
	}
	f := read(t, path)
	f.Tests = slices.DeleteFunc(f.Tests, func(c *testCase) bool { return strings.Contains(c.Name, "one cloud") })
	for _, c := range f.Tests {
		require.NoError(t, c.addSecondCloud(f.EvaluationInterval), "%s: %s", path, c.Name)
	}
	t.Run(e.name+"/"+filepath.Base(path)+"/beside a second cloud", func(t *testing.T) { e.run(t, rules, f) })
}

func read(t *testing.T, path string) *file {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var f file
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&f), path)
	require.NotEmpty(t, f.Tests, path)
	return &f
}

// run runs each case in a process of its own, because vmalert-tool does not name the case of an expression.
func (e Evaluator) run(t *testing.T, rules []byte, f *file) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), rules, 0o666))
	for _, c := range f.Tests {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			out, err := e.runCase(t, dir, f, c)
			if err != nil && e.late {
				e.runChecks(t, dir, f, c)
				return
			}
			require.NoError(t, err, "%s", out)
		})
	}
}

// runChecks runs each check of a case on its own. Its result must be right at its time, or one evaluation later.
func (e Evaluator) runChecks(t *testing.T, dir string, f *file, c *testCase) {
	interval, err := model.ParseDuration(f.EvaluationInterval)
	require.NoError(t, err)
	for _, check := range c.checks() {
		out, err := e.runCase(t, dir, f, check)
		if err == nil {
			continue
		}
		require.NoError(t, check.postpone(interval))
		later, err := e.runCase(t, dir, f, check)
		require.NoError(t, err, "%s\none evaluation later:\n%s", out, later)
	}
}

// checks returns one case for each check of a case.
func (c *testCase) checks() []*testCase {
	var all []*testCase
	for _, check := range c.AlertRuleTest {
		all = append(all, &testCase{Name: c.Name, Interval: c.Interval, InputSeries: c.InputSeries, AlertRuleTest: []alertTest{check}})
	}
	for _, check := range c.ExprTest {
		all = append(all, &testCase{Name: c.Name, Interval: c.Interval, InputSeries: c.InputSeries, ExprTest: []exprTest{check}})
	}
	return all
}

// postpone makes all checks of a case later.
func (c *testCase) postpone(by model.Duration) error {
	for i := range c.AlertRuleTest {
		if err := postpone(&c.AlertRuleTest[i].EvalTime, by); err != nil {
			return err
		}
	}
	for i := range c.ExprTest {
		if err := postpone(&c.ExprTest[i].EvalTime, by); err != nil {
			return err
		}
	}
	return nil
}

func postpone(text *string, by model.Duration) error {
	t, err := model.ParseDuration(*text)
	if err != nil {
		return err
	}
	*text = (t + by).String()
	return nil
}

// runCase runs one case and returns what the program prints.
func (e Evaluator) runCase(t *testing.T, dir string, f *file, c *testCase) (output []byte, err error) {
	test, err := os.CreateTemp(dir, "*.yml")
	require.NoError(t, err)
	_, err = test.Write(e.encode(t, f, c))
	require.NoError(t, err)
	require.NoError(t, test.Close())
	return exec.CommandContext(t.Context(), e.path, append(slices.Clone(e.args), test.Name())...).CombinedOutput()
}

// encode returns a file with one case.
func (e Evaluator) encode(t *testing.T, f *file, c *testCase) []byte {
	t.Helper()
	one := file{RuleFiles: []string{"rules.yml"}, EvaluationInterval: f.EvaluationInterval, Tests: []*testCase{c}}
	text, err := yaml.Marshal(one)
	require.NoError(t, err)
	return []byte(strings.Replace(string(text), "promql_expr_test:", e.exprTest+":", 1))
}

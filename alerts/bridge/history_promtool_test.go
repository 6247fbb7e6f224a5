package bridge

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// A record is what a history has left: by minute, the series that Prometheus scrapes, and the alerts that fire.
type record struct {
	cluster string              // the label that tells histories apart
	series  map[string][]string // values, "" where there is none
	alerts  map[string]*fired
}

// A fired alert is whether an alert fires, by minute.
type fired struct {
	name  string
	fires []bool
}

func newRecord(h *history) *record {
	return &record{
		cluster: fmt.Sprintf("h%d", h.seed),
		series:  map[string][]string{}, alerts: map[string]*fired{},
	}
}

func (r *record) sample(minute int, metric, labels string, value float64) {
	series := metric + "{" + labels + "}"
	if r.series[series] == nil {
		r.series[series] = make([]string, historyMinutes)
	}
	r.series[series][minute] = strconv.FormatFloat(value, 'f', -1, 64)
}

// firing notes an alert with its labels, which fires.
func (r *record) firing(minute int, labels map[string]string) {
	var pairs []string
	for name, value := range labels {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(pairs)
	text := strings.Join(pairs, ",")
	if r.alerts[text] == nil {
		r.alerts[text] = &fired{labels["alertname"], make([]bool, historyMinutes)}
	}
	r.alerts[text].fires[minute] = true
}

// A promtoolSeries is a series in a file for "promtool test rules".
type promtoolSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

// input returns the record as input of promtool. Beside the series of exporters it has history:must, the alerts that have to fire
// by the rules, and history:may, the alerts that may fire.
func (r *record) input(rules map[string]alerts.Rule) []promtoolSeries {
	var all []promtoolSeries
	for _, series := range slices.Sorted(maps.Keys(r.series)) {
		all = append(all, promtoolSeries{series, valuesOf(r.series[series])})
	}
	for _, labels := range slices.Sorted(maps.Keys(r.alerts)) {
		must, may := r.bounds(labels, rules)
		for name, values := range map[string][]string{"history:must": must, "history:may": may} {
			all = append(all, promtoolSeries{name + `{alertstate="firing",` + labels + "}", valuesOf(values)})
		}
	}
	return all
}

// bounds returns in which minutes the rules have to fire an alert: when it has fired for longer than "for" and one evaluation;
// and in which they may: until it has not fired for longer than "keep_firing_for" and one evaluation.
func (r *record) bounds(labels string, rules map[string]alerts.Rule) (must, may []string) {
	fires, rule := r.alerts[labels].fires, rules[r.alerts[labels].name]
	must, may = make([]string, historyMinutes), make([]string, historyMinutes)
	hold, keep := minutesOf(rule.For)+1, minutesOf(rule.KeepFiringFor)+1
	for minute := range fires {
		if minute >= hold && !slices.Contains(fires[minute-hold:minute+1], false) {
			must[minute] = "1"
		}
		if slices.Contains(fires[max(minute-keep, 0):minute+1], true) {
			may[minute] = "1"
		}
	}
	return must, may
}

// minutesOf returns how many evaluations a time takes.
func minutesOf(d model.Duration) int { return int((time.Duration(d) + time.Minute - 1) / time.Minute) }

// valuesOf returns values in promtool's notation. A series that ends is marked, as Prometheus does.
func valuesOf(values []string) string {
	var words []string
	for i := 0; i < len(values); {
		word, n := values[i], 1
		for i+n < len(values) && values[i+n] == word {
			n++
		}
		if word == "" {
			if i > 0 {
				words = append(words, "stale")
				if n == 1 {
					i++
					continue
				}
				n, i = n-1, i+1
			}
			words = append(words, fmt.Sprintf("_x%d", n))
		} else {
			words = append(words, fmt.Sprintf("%sx%d", word, n-1))
		}
		i += n
	}
	return strings.Join(words, " ")
}

// A node is a map in a YAML file.
type node = map[string]any

// historiesTogether is how many histories are in one Prometheus. promtool limits how many samples a query may load.
const historiesTogether = 25

// compareWithRules evaluates the rules of a configuration with the series of histories. It returns what is wrong, by history.
func compareWithRules(t *testing.T, c *config.Alerting, records []*record) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	rules, byName := historyRules(c)
	write := func(name string, content any) {
		text, err := yaml.Marshal(content)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	write("rules.yml", ruleFile(rules))
	var checks []node
	for _, name := range []string{"history:missing", "history:surplus"} {
		// The value is the first minute.
		checks = append(checks, node{
			"expr": fmt.Sprintf("min_over_time(%s[%dm])", name, historyMinutes), "eval_time": fmt.Sprintf("%dm", historyMinutes-1), "exp_samples": []any{},
		})
	}
	var tests []node
	for together := range slices.Chunk(records, historiesTogether) {
		var input []promtoolSeries
		for _, r := range together {
			input = append(input, r.input(byName)...)
		}
		tests = append(tests, node{"interval": "1m", "input_series": input, "promql_expr_test": checks})
	}
	write("test.yml", node{"rule_files": []string{"rules.yml"}, "evaluation_interval": "1m", "tests": tests})
	cmd := exec.Command(testserver.Promtool(t), "test", "rules", "test.yml")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	wrong := map[string][]string{}
	what := ""
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("expr: ")) {
			what = "the rules don't fire it"
			if bytes.Contains(line, []byte("surplus")) {
				what = "only the rules fire it"
			}
		}
		for _, found := range regexp.MustCompile(`(\{[^{}]*cluster="(h\d+)"[^{}]*\}) ([0-9.E+]+)`).FindAllSubmatch(line, -1) {
			minute, err := strconv.ParseFloat(string(found[3]), 64)
			require.NoError(t, err)
			cluster := string(found[2])
			wrong[cluster] = append(wrong[cluster], fmt.Sprintf("minute %3.0f: %s: %s", minute, what, found[1]))
		}
	}
	require.NotEmpty(t, wrong, "promtool failed: %.20000s", out)
	return wrong
}

// historyRules returns the rules of the alerts that the bridge posts too, and rules that compare their alerts with what must and
// may fire. Their values are minutes.
func historyRules(c *config.Alerting) (rules []alerts.Rule, byName map[string]alerts.Rule) {
	byName = map[string]alerts.Rule{}
	for _, r := range alerts.Rules(c) {
		if r.Alert == "" || alerts.IsPosted(alerts.BaseName(r.Alert)) {
			r.Annotations = nil
			rules = append(rules, r)
			byName[r.Alert] = r
		}
	}
	return append(rules,
		alerts.Rule{Record: "history:missing", Expr: `(history:must unless ALERTS{alertstate="firing"}) * 0 + time() / 60`},
		alerts.Rule{Record: "history:surplus", Expr: `(ALERTS{alertstate="firing"} unless history:may) * 0 + time() / 60`},
	), byName
}

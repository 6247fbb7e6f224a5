package docs_test

//go:generate go test . -count=1 -run ^TestNeededSeries$ -update

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write needed-series.yml")

const neededSeries = "needed-series.yml"

// needed is the names of series, each with its labels that expressions use.
type needed map[string]map[string]bool

// The list of needed series has what the expressions of the rules and of the dashboards read.
func TestNeededSeries(t *testing.T) {
	labels := labelsOfMetrics(t)
	var b strings.Builder
	b.WriteString("# Made by \"make generate\" from the expressions of the rules and the dashboards: the series that they read, each with the labels\n" +
		"# that they select, join or show. Keep these in metric_relabel_configs.\n")
	for _, part := range []struct {
		name  string
		exprs []string
	}{{"rules", ruleExprs(t)}, {"dashboards", dashboardExprs(t)}} {
		found := needed{}
		for _, expr := range part.exprs {
			found.read(t, expr, labels)
		}
		fmt.Fprintf(&b, "%s:\n", part.name)
		for _, name := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintf(&b, "  %s: [%s]\n", name, strings.Join(slices.Sorted(maps.Keys(found[name])), ", "))
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(neededSeries, []byte(b.String()), 0o644))
	}
	had, err := os.ReadFile(neededSeries)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(had), "run make generate")
	var parsed map[string]map[string][]string
	require.NoError(t, yaml.Unmarshal(had, &parsed))
	require.Contains(t, parsed["rules"]["servicegroup_member_down"], "member")
}

// labelsOfMetrics returns the labels of each metric of the program, from the page that lists them.
func labelsOfMetrics(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("reference/metrics.md")
	require.NoError(t, err)
	words := strings.NewReplacer("labels of a member", "`source`, `group`, `member`, `binary`, `zone`")
	labels := map[string][]string{"up": nil}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\| ([^|]*) \\|").FindAllStringSubmatch(string(page), -1) {
		labels[row[1]] = []string{}
		for _, label := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(words.Replace(row[3]), -1) {
			labels[row[1]] = append(labels[row[1]], label[1])
		}
		if row[2] == "histogram" {
			labels[row[1]+"_bucket"] = append(slices.Clone(labels[row[1]]), "le")
			labels[row[1]+"_count"], labels[row[1]+"_sum"] = labels[row[1]], labels[row[1]]
		}
	}
	return labels
}

func ruleExprs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../alerts/servicegroup.rules.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct{ Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	var exprs []string
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			exprs = append(exprs, rule.Expr)
		}
	}
	require.NotEmpty(t, exprs)
	return exprs
}

// dashboardExprs returns the expressions of panels and annotations, with a window in place of Grafana's variables.
func dashboardExprs(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../dashboards/*.json")
	require.NoError(t, err)
	var exprs []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var board any
		require.NoError(t, json.Unmarshal(text, &board))
		exprs = append(exprs, exprsIn(board)...)
	}
	require.NotEmpty(t, exprs)
	for i, expr := range exprs {
		exprs[i] = regexp.MustCompile(`\$__\w+`).ReplaceAllString(expr, "1h")
	}
	return exprs
}

// exprsIn returns the values of all keys "expr".
func exprsIn(value any) []string {
	var exprs []string
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			if text, isText := v.(string); isText && key == "expr" {
				exprs = append(exprs, text)
			}
			exprs = append(exprs, exprsIn(v)...)
		}
	case []any:
		for _, v := range value {
			exprs = append(exprs, exprsIn(v)...)
		}
	}
	return exprs
}

// read adds the series of an expression.
func (n needed) read(t *testing.T, text string, labels map[string][]string) {
	t.Helper()
	// The parser is VictoriaMetrics', which has no native histograms. It takes their number and sum for their average, another function.
	expr, err := metricsql.Parse(strings.NewReplacer("histogram_count(", "histogram_avg(", "histogram_sum(", "histogram_avg(").Replace(text))
	require.NoError(t, err, text)
	n.visit(expr, nil, labels)
}

// visit adds the series of a part of an expression. The results around it are grouped or joined by some labels.
func (n needed) visit(expr metricsql.Expr, grouped []string, labels map[string][]string) {
	switch e := expr.(type) {
	case *metricsql.MetricExpr:
		n.add(e, grouped, labels)
	case *metricsql.RollupExpr:
		n.visit(e.Expr, grouped, labels)
	case *metricsql.FuncExpr:
		for _, arg := range e.Args {
			n.visit(arg, grouped, labels)
		}
	case *metricsql.AggrFuncExpr:
		for _, arg := range e.Args {
			n.visit(arg, slices.Concat(grouped, e.Modifier.Args), labels)
		}
	case *metricsql.BinaryOpExpr:
		for _, side := range []metricsql.Expr{e.Left, e.Right} {
			n.visit(side, slices.Concat(grouped, e.GroupModifier.Args), labels)
		}
	}
}

// add adds a series, unless the rules make it or it is Prometheus' own. The labels that targets have are needed by every series.
func (n needed) add(e *metricsql.MetricExpr, grouped []string, labels map[string][]string) {
	for _, filters := range e.LabelFilterss {
		var name string
		used := slices.Clone(grouped)
		for _, f := range filters {
			if f.Label == "__name__" {
				name = f.Value
			} else {
				used = append(used, f.Label)
			}
		}
		own, isOurs := labels[name]
		if !isOurs {
			continue
		}
		if n[name] == nil {
			n[name] = map[string]bool{}
		}
		for _, label := range used {
			if slices.Contains([]string{"cluster", "job", "instance"}, label) || slices.Contains(own, label) {
				n[name][label] = true
			}
		}
	}
}

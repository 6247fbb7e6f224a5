package dashboards_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/dashboards"
)

// The tests check the rules of grafana/dashboard-linter, for every kind of panel that is used, and some more.

// grafana10Schema is the newest schema that Grafana 10.0 knows.
const grafana10Schema = 38

// kinds are the kinds of panels that Grafana 10 has and these tests check.
var kinds = []string{"stat", "timeseries", "state-timeline", "heatmap", "table"}

func eachBoard(t *testing.T, check func(*testing.T, *board)) {
	all := boards(t)
	require.Len(t, all, 4)
	for name, b := range all {
		t.Run(name, func(t *testing.T) { check(t, b) })
	}
}

func eachPanel(t *testing.T, check func(*testing.T, *board, panel)) {
	eachBoard(t, func(t *testing.T, b *board) {
		for _, p := range b.panels() {
			t.Run(p.Title, func(t *testing.T) { check(t, b, p) })
		}
	})
}

func eachExpr(t *testing.T, check func(t *testing.T, expr string)) {
	eachBoard(t, func(t *testing.T, b *board) {
		for where, expr := range b.exprs() {
			t.Run(where, func(t *testing.T) { check(t, expr) })
		}
	})
}

func TestDashboard(t *testing.T) {
	eachBoard(t, func(t *testing.T, b *board) {
		require.Nil(t, b.ID, "an id belongs to one Grafana")
		require.Nil(t, b.Inputs, "__inputs work in the import dialog only")
		require.Equal(t, new(false), b.Editable)
		require.Equal(t, 1, b.GraphTooltip, "a crosshair in all panels")
		require.NotEmpty(t, b.Refresh)
		require.LessOrEqual(t, b.SchemaVersion, grafana10Schema)
		require.Contains(t, b.Tags, "servicegroup")
		require.NotEmpty(t, b.Title)
		require.NotEmpty(t, b.Description)
		for _, l := range b.Links {
			require.Empty(t, l.Placement, "links are above the panels")
		}
	})
}

func TestLayout(t *testing.T) {
	eachBoard(t, func(t *testing.T, b *board) {
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range b.Panels {
			require.False(t, ids[p.ID], "%s has the id of another panel", p.Title)
			ids[p.ID] = true
			g := p.GridPos
			require.Positive(t, g.W*g.H, p.Title)
			require.LessOrEqual(t, g.X+g.W, 24, p.Title)
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					require.Empty(t, taken[[2]int{x, y}], "%s lies on it", p.Title)
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	})
}

func TestVariables(t *testing.T) {
	eachBoard(t, func(t *testing.T, b *board) {
		require.Equal(t, variable{
			Type: "datasource", Name: "datasource", Label: "Data source", Query: "prometheus",
		}, b.Templating.List[0])
		_, sources := b.variable("source")
		require.True(t, sources)
		for _, v := range b.Templating.List[1:] {
			require.NotEmpty(t, v.Label)
			if v.Type == "textbox" {
				continue
			}
			require.Equal(t, "query", v.Type)
			require.Equal(t, 2, v.Refresh, "%s: values depend on the time shown", v.Name)
			require.JSONEq(t, `{"type": "prometheus", "uid": "${datasource}"}`, string(v.Datasource))
			if v.Name == "member" { // one member, of the row "Member"
				require.False(t, v.Multi || v.IncludeAll)
				continue
			}
			require.True(t, v.Multi && v.IncludeAll, v.Name)
			if v.Name == "died" || v.Name == "changed" { // hidden: the members of the state timeline, and of the table of transitions
				require.Empty(t, v.AllValue)
				continue
			}
			// A value that matches any job would match all targets of this Prometheus.
			known := v.Name == "job" || v.Name == "instance"
			require.Equal(t, map[bool]string{true: "", false: ".*"}[known], v.AllValue, v.Name)
		}
	})
}

func TestPanelBasics(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ *board, p panel) {
		require.Contains(t, kinds, p.Type)
		require.NotEmpty(t, p.Title)
		require.Regexp(t, `^[A-Z].*\.$`, p.Description, "a description is a sentence")
		require.NotEmpty(t, p.Targets)
		picked := datasource{"prometheus", "${datasource}"}
		require.Equal(t, picked, p.Datasource)
		refs := map[string]bool{}
		for _, q := range p.Targets {
			require.Equal(t, picked, q.Datasource)
			require.NotEmpty(t, q.Expr)
			require.False(t, refs[q.RefID])
			refs[q.RefID] = true
			require.NotEqual(t, q.Instant, q.Range)
		}
	})
}

func TestUnits(t *testing.T) {
	known := []string{"short", "s", "suffix: s", "percentunit", "bytes", "dateTimeFromNow", "dateTimeAsIsoNoDateIfToday"}
	eachPanel(t, func(t *testing.T, _ *board, p panel) {
		if p.Type != "table" { // Columns of tables have units of their own.
			require.Contains(t, known, p.FieldConfig.Defaults.Unit)
		}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if property.ID == "unit" {
					var unit string
					require.NoError(t, json.Unmarshal(property.Value, &unit))
					require.Contains(t, known, unit)
				}
			}
		}
	})
}

func TestLegends(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ *board, p panel) {
		seen := map[string]bool{}
		for _, q := range p.Targets {
			switch p.Type {
			case "table":
				require.Equal(t, "table", q.Format)
			case "stat":
			default:
				require.NotEmpty(t, q.Legend)
				require.False(t, seen[q.Legend], "two queries have the legend %s", q.Legend)
				seen[q.Legend] = true
			}
		}
		require.Equal(t, p.Type == "heatmap", p.Targets[0].Format == "heatmap")
	})
}

// Texts name panels of the same dashboard by their titles.
func TestTextsNamePanels(t *testing.T) {
	eachPanel(t, func(t *testing.T, b *board, p panel) {
		for _, text := range []string{p.Description, p.FieldConfig.Defaults.NoValue} {
			for _, named := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(text, -1) {
				b.panel(t, named[1])
			}
		}
	})
}

// Missing data has a text and a colour of its own, and panels for the current state show only current values.
func TestMissingDataIsNotHealthy(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ *board, p panel) {
		defaults := p.FieldConfig.Defaults
		require.NotEmpty(t, defaults.NoValue)
		require.False(t, defaults.Custom.SpanNulls, "a gap is not bridged")
		missing := map[string]bool{}
		for _, m := range defaults.Mappings {
			var special struct {
				Match  string
				Result struct{ Text, Color string }
			}
			if m.Type != "special" {
				continue
			}
			require.NoError(t, json.Unmarshal(m.Options, &special))
			require.Contains(t, special.Result.Text, "no data")
			require.Equal(t, "purple", special.Result.Color)
			missing[special.Match] = true
		}
		switch p.Type {
		case "stat", "state-timeline":
			require.Equal(t, map[string]bool{"null": true, "nan": true}, missing)
		}
		if p.Type == "stat" {
			require.Equal(t, []string{"last"}, p.Options.ReduceOptions.Calcs)
		}
		if p.Type == "stat" || p.Type == "table" {
			for _, q := range p.Targets {
				require.True(t, q.Instant)
			}
		}
	})
	eachExpr(t, func(t *testing.T, expr string) { require.NotContains(t, expr, "vector(") })
}

// histogram matches the increase of a histogram, classic or native.
var histogram = regexp.MustCompile(`increase\(servicegroup_\w*(latency|outage_duration)_seconds(_bucket|_count)?{`)

// The windows of rates are $__rate_interval, the windows of extremes and counts are $__interval, from one point of a graph to the next. Others
// are the time range of the dashboard, or windows of alerts.
func TestWindows(t *testing.T) {
	window := regexp.MustCompile(`\b(\w+)\([^()]*\[([^\]]+)\]`)
	eachExpr(t, func(t *testing.T, expr string) {
		for _, found := range window.FindAllStringSubmatch(before.ReplaceAllString(again.ReplaceAllString(expr, ""), ""), -1) {
			allowed := []string{"$__range"}
			switch found[1] {
			case "rate":
				allowed = append(allowed, "$__rate_interval")
			case "min_over_time", "max_over_time":
				allowed = append(allowed, "$__interval")
			}
			if histogram.MatchString(found[0]) {
				allowed = append(allowed, "1h") // as ServiceGroupDetectionSlow: deaths are rare
			}
			require.Contains(t, allowed, found[2], found[0])
		}
	})
}

// before matches the value at the point of a graph before this one.
var before = regexp.MustCompile(`last_over_time\(\w+{[^}]*}\[1h\] offset \$__interval\)`)

// again matches the condition that a native histogram has started again since the point before.
var again = regexp.MustCompile(`resets\(\w+{[^}]*}\[1h\]\) > resets\(\w+{[^}]*}\[1h\] offset \$__interval\)`)

// selector matches the exporter's series, and Prometheus' own series about its targets.
var selector = regexp.MustCompile(`\b(service_up|servicegroup[\w:]*|up|ALERTS\w*|scrape_duration_seconds|process_\w+)\b({[^}]*})?`)

// Every counter is used in a rate or an increase, or minus its value at the point before.
func TestCounters(t *testing.T) {
	counter := regexp.MustCompile(`(\S*?)\b\w+_(total|count|sum|bucket|latency_seconds|outage_duration_seconds){`)
	grown := regexp.MustCompile(`\(\w+{[^}]*} - BEFORE >= 0 or \w+{[^}]*} < BEFORE\)|` +
		`\(histogram_count\(\w+{[^}]*}\) - histogram_count\(BEFORE\) >= 0 or histogram_count\(\w+{[^}]*}\) < histogram_count\(BEFORE\)\)|` +
		`\(\w+{[^}]*} - BEFORE unless AGAIN or \w+{[^}]*} and AGAIN\)`)
	eachExpr(t, func(t *testing.T, expr string) {
		expr = grown.ReplaceAllString(before.ReplaceAllString(again.ReplaceAllString(expr, "AGAIN"), "BEFORE"), "")
		for _, found := range counter.FindAllStringSubmatch(expr, -1) {
			require.Regexp(t, `(rate|increase)\($`, found[1], found[0])
		}
	})
}

// Every series is selected by the dashboard's variables.
func TestSelectors(t *testing.T) {
	eachBoard(t, func(t *testing.T, b *board) {
		for where, expr := range b.exprs() {
			for _, found := range selector.FindAllStringSubmatch(expr, -1) {
				for _, wanted := range labelsOf(b, found[1]) {
					require.Contains(t, found[2], wanted, "%s: %s", where, found[0])
				}
			}
			for _, name := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(expr, -1) {
				_, declared := b.variable(name[1])
				require.True(t, declared || strings.HasPrefix(name[1], "__"), "%s: $%s", where, name[1])
			}
		}
	})
}

// labelsOf returns the matchers that a metric needs on a dashboard.
func labelsOf(b *board, metric string) []string {
	const cluster, source, job, instance = `cluster=~"$cluster`, `source=~"$source`, `job=~"$job"`, `instance=~"$instance"`
	alone := []string{"servicegroup_config_", "servicegroup_events_", "servicegroup_exporter_", "servicegroup_alerts_", "servicegroup_notifications_"}
	ofExporter := slices.ContainsFunc(alone, func(prefix string) bool { return strings.HasPrefix(metric, prefix) }) ||
		metric == "up" || strings.HasPrefix(metric, "process_") || strings.HasPrefix(metric, "scrape_")
	_, instances := b.variable("instance")
	switch {
	case strings.HasPrefix(metric, "servicegroup_host_"):
		return []string{cluster} // Hosts have members of several sources.
	case metric == "servicegroup:host_answers":
		return []string{`cluster=`} // Of the selected clouds, or without the label.
	case strings.HasPrefix(metric, "ALERTS"):
		return []string{`alertname`}
	case ofExporter && instances:
		return []string{cluster, job, instance}
	case ofExporter:
		return []string{cluster, job}
	case instances:
		return []string{cluster, job, instance, source}
	}
	return []string{cluster, source}
}

// Nothing is summed over exporters, because two of them report the same members and events. Those that say that a member is down
// are counted, and compared with those that know its group.
func TestNothingIsSummedOverExporters(t *testing.T) {
	aggregation := regexp.MustCompile(`(\w+)( by \([^)]*\))? \((?:rate\(|increase\()?(service_up|servicegroup_\w+)`)
	counted := []string{"servicegroup_member_down", "servicegroup_group_known"}
	eachExpr(t, func(t *testing.T, expr string) {
		for _, found := range aggregation.FindAllStringSubmatch(expr, -1) {
			if found[1] == "count" && slices.Contains(counted, found[3]) {
				continue
			}
			require.Contains(t, []string{"max", "min", "avg", "on", "or", "and", "group_left"}, found[1], found[0])
		}
	})
}

// Clouds have the same names of sources, groups and members. Nothing joins or sums without the label that tells them apart, but sums
// of all that is selected.
func TestCloudsAreToldApart(t *testing.T) {
	label := config.DefaultAlerting().ClusterLabel
	grouping := regexp.MustCompile(`\b(by|on) \(([^)]*)\)`)
	eachExpr(t, func(t *testing.T, expr string) {
		for _, found := range grouping.FindAllStringSubmatch(expr, -1) {
			labels := strings.Split(found[2], ", ")
			// "host": the result of alerting.host_query without the label is about every cloud.
			if found[0] != "on ()" && found[0] != "by (le)" && !slices.Equal(labels, []string{"host"}) {
				require.Contains(t, labels, label, found[0])
			}
		}
	})
	eachBoard(t, func(t *testing.T, b *board) {
		v, exists := b.variable("cluster")
		require.True(t, exists)
		require.Equal(t, "label_values(servicegroup_source_up, "+label+")", v.Query)
	})
}

// Every metric has a panel, except those that only rules read.
func TestEveryMetricHasAPanel(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/metrics.md")
	require.NoError(t, err)
	read := map[string]bool{"servicegroup_label_check": true}
	for _, b := range boards(t) {
		for _, expr := range b.exprs() {
			for _, name := range regexp.MustCompile(`\b(?:service_up|servicegroup_\w+)`).FindAllString(expr, -1) {
				read[regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")] = true
			}
		}
	}
	names := regexp.MustCompile("(?m)^\\| `(service_up|servicegroup_\\w+)` ").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.True(t, read[name[1]], name[1])
	}
}

// Another cluster label replaces that of the queries, but no name of a group in the configuration.
func TestClusterLabel(t *testing.T) {
	o := dashboards.Options{ClusterLabel: "region", DegradedLimits: []alerts.Limit{{Matchers: []string{`group="cluster"`}, Ratio: 0.5}}}
	text, err := o.Build("overview")
	require.NoError(t, err)
	b := &board{}
	require.NoError(t, json.Unmarshal(text, b))
	all := strings.Join(slices.Collect(maps.Values(b.exprs())), "\n")
	require.Contains(t, all, `region=~"$cluster"`)
	require.Contains(t, all, `group="cluster"} * 0 + 0.5`)
	require.NotRegexp(t, `\bcluster\b`, strings.NewReplacer("$cluster", "", `"cluster"`, "").Replace(all))
}

// The files are the dashboards for the default configuration.
func TestGenerated(t *testing.T) {
	cfg := config.DefaultAlerting()
	o := dashboards.Options{
		TitlePrefix: "Service groups: ", Tags: []string{"servicegroup"}, ExporterURL: cfg.ExternalURL, ClusterLabel: cfg.ClusterLabel,
		ScrapeInterval: time.Duration(cfg.ScrapeInterval), DegradedLimits: alerts.DegradedLimits(&cfg),
	}
	for _, name := range dashboards.Names() {
		want, err := o.Build(name)
		require.NoError(t, err)
		got, err := os.ReadFile(name + ".json")
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "run make generate")
	}
}

package dashboards_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestQueries runs every query and every variable against a Prometheus that has recorded an outage.
func TestQueries(t *testing.T) {
	env := newEnvironment(t)
	env.outage()
	all := boards(t)
	v := &view{t: env.t, prom: env.prom, start: env.started, end: time.Now()}
	t.Run("variables", func(t *testing.T) { checkOptions(t, env, v, all) })
	t.Run("not empty", func(t *testing.T) { checkNotEmpty(t, v, all) })
	t.Run("tables", func(t *testing.T) { checkTables(t, v, all) })
	t.Run("selection", func(t *testing.T) { checkSelection(t, v, all) })
	checkValues(env, all)
	t.Run("timeline", func(t *testing.T) { checkTimeline(t, env, v, all["group.json"]) })
	for name, prom := range env.native {
		t.Run(name, func(t *testing.T) { checkNative(t, &view{t: t, prom: prom, start: env.started, end: time.Now()}, all) })
	}
	for _, e := range env.exporters {
		e.stop()
	}
	env.await(`count(up{job="servicegroup_exporter"} == 0) == 2 unless on () service_up`)
	t.Run("no data", func(t *testing.T) { checkNoData(t, env, all) })
}

func checkOptions(t *testing.T, env *environment, v *view, all map[string]*board) {
	want := map[string][]string{
		"source": {"nova", "zk"}, "group": {"compute", "network", "volume", "web"},
		"died": {"c1", "c2", "c3", "c4", "c5", "n1", "w1", "w2"}, "changed": {"c1", "c2", "c3", "c4", "c5", "n1", "w1", "w2"},
		"member": {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "n1", "n2", "w1", "w2"}, "zone": {"az1", "az2"},
		"job": {"servicegroup_exporter"}, "instance": {env.exporters[0].address, env.exporters[1].address},
		"alertmanager": {env.am.URL()},
	}
	for name, b := range all {
		for _, variable := range b.Templating.List {
			if variable.Type == "query" {
				require.ElementsMatch(t, want[variable.Name], v.options(b, variable), "%s: %s", name, variable.Name)
			}
		}
	}
}

// rare matches the series that the selected member does not have.
var rare = regexp.MustCompile(`servicegroup_member_(fenced|heartbeat_ahead|suspected_since)`)

func checkNotEmpty(t *testing.T, v *view, all map[string]*board) {
	for name, b := range all {
		for _, p := range b.panels() {
			for _, q := range p.Targets {
				where := name + "/" + p.Title + "/" + q.RefID
				got := v.run(b, q)
				t.Log(where, len(got))
				if strings.HasSuffix(q.Expr, ") > 0") || strings.HasPrefix(q.Expr, "NaN * absent(") || rare.MatchString(q.Expr) {
					continue // Most errors, problems and attributes are not here.
				}
				// This Prometheus has classic histograms only. All other panels have data.
				empty := strings.Contains(q.Expr, "histogram_count(")
				require.Equal(t, empty, len(got) == 0, "%s: %s", where, v.expand(b, q.Expr))
			}
		}
		for _, a := range b.Annotations.List {
			require.NotEmpty(t, v.run(b, target{Expr: a.Expr + " >= 1"}), "%s: annotation %s", name, a.Name)
		}
	}
}

// checkSelection selects one source and group: no other may be shown.
func checkSelection(t *testing.T, v *view, all map[string]*board) {
	picked := *v
	picked.picked = map[string][]string{"source": {"nova"}, "group": {"compute"}, "zone": {"az2"}}
	for name, b := range all {
		_, groups := b.variable("group")
		for where, expr := range b.exprs() {
			for _, s := range picked.run(b, target{Expr: expr}) {
				require.Contains(t, []string{"nova", ""}, s.labels["source"], "%s: %s", name, where)
				if groups {
					require.Contains(t, []string{"compute", ""}, s.labels["group"], "%s: %s", name, where)
				}
				if !strings.Contains(expr, "ALERTS") { // Alerts have no zones.
					require.NotEqual(t, "c1", s.labels["member"], "%s: %s", name, where)
				}
			}
		}
	}
}

// tile returns the value of a stat, if it has one.
func (v *view) tile(b *board, title string) (float64, bool) {
	var got []series
	for _, q := range b.panel(v.t, title).Targets {
		got = append(got, v.run(b, q)...)
	}
	if len(got) == 0 {
		return 0, false
	}
	require.Len(v.t, got, 1, title)
	return got[0].values[0], true
}

// checkTimeline checks which members have a row, and the gaps in it.
func checkTimeline(t *testing.T, env *environment, v *view, b *board) {
	rows := map[string]series{}
	for _, s := range v.run(b, b.panel(t, "States of members that were down in this time range").Targets[0]) {
		rows[s.labels["member"]] = s
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(rows)), []string{"c1", "c2", "c3", "c4", "c5", "n1", "w1", "w2"},
		"c6 and n2 were never down, and c7 was out of service when it died")
	// A row includes the time before its member's first death, and each of its states.
	require.InDelta(t, 1, rows["c1"].values[0], 0)
	require.Contains(t, rows["c1"].values, 0.0)
	require.InDelta(t, 1, rows["c1"].values[len(rows["c1"].values)-1], 0)
	// While the source can't be read, a member that was up has no state, and one that was down stays down.
	before, during, after := statesIn(env, rows["w2"])
	require.NotEmpty(t, before)
	require.Empty(t, during)
	require.NotEmpty(t, after)
	_, during, _ = statesIn(env, rows["w1"])
	require.NotEmpty(t, during)
	require.NotContains(t, during, 1.0)
}

// statesIn returns the states of a member before, during and after the time in which no exporter could read ZooKeeper.
func statesIn(env *environment, s series) (before, during, after []float64) {
	for i, at := range s.times {
		switch {
		case at < env.unreadable[0]:
			before = append(before, s.values[i])
		case at > env.unreadable[1]:
			after = append(after, s.values[i])
		default:
			during = append(during, s.values[i])
		}
	}
	return before, during, after
}

// checkValues compares tiles with the events of the test. Both exporters saw them, and each event counts once.
func checkValues(env *environment, all map[string]*board) {
	for _, want := range []struct {
		board, tile string
		picked      map[string][]string
		value       float64
	}{
		{"overview.json", "Members down", map[string][]string{"source": {"nova"}}, 3},
		{"overview.json", "Members down", map[string][]string{"source": {"nova"}, "zone": {"az1"}}, 1},
		{"overview.json", "Groups in outage", map[string][]string{"source": {"nova"}}, 2},
		{"overview.json", "Sources unreadable", nil, 0},
		{"overview.json", "Exporters down", nil, 0},
		{"overview.json", "Alertmanagers down", nil, 0},
		{"group.json", "Up", map[string][]string{"group": {"compute"}}, 5},
		{"group.json", "Down", map[string][]string{"group": {"compute"}}, 1},
		{"group.json", "Out of service", map[string][]string{"source": {"nova"}}, 2},
		{"group.json", "Unknown", map[string][]string{"source": {"nova"}}, 0},
		{"detection.json", "Deaths detected", map[string][]string{"source": {"nova"}}, 8},
	} {
		env.eventually(want.board+": "+want.tile, func() bool {
			v := &view{t: env.t, prom: env.prom, start: env.started, end: time.Now(), picked: want.picked}
			got, known := v.tile(all[want.board], want.tile)
			return known && got == want.value
		})
	}
}

// ofHistogram matches the series of a histogram, classic or native.
var ofHistogram = regexp.MustCompile(`\bservicegroup_\w*(latency|outage_duration)_seconds(_bucket|_count)?{`)

// checkNative checks the panels of histograms in a Prometheus that stores native histograms: each has data, and nothing is there twice.
func checkNative(t *testing.T, v *view, all map[string]*board) {
	for name, b := range all {
		for _, p := range b.panels() {
			// Panels that count have a query for each kind of histogram.
			results, wanted, counts := 0, 0, false
			for _, q := range p.Targets {
				if !ofHistogram.MatchString(q.Expr) {
					continue
				}
				wanted++
				counts = counts || strings.Contains(q.Expr, "histogram_count(")
				got := v.run(b, q)
				if len(got) > 0 {
					results++
				}
				checkOneKind(t, name+": "+p.Title, got)
			}
			if counts {
				wanted /= 2
			}
			require.Equal(t, wanted, results, "%s: %s", name, p.Title)
		}
	}
	v.picked = map[string][]string{"source": {"nova"}}
	deaths, known := v.tile(all["detection.json"], "Deaths detected")
	require.True(t, known)
	require.InDelta(t, 8, deaths, 0)
	// The bars have each death. Two exporters may see it in different bars.
	sums := map[string]float64{}
	for _, q := range all["group.json"].panel(t, "Deaths and recoveries").Targets {
		for _, s := range v.run(all["group.json"], q) {
			for _, value := range s.values {
				require.GreaterOrEqual(t, value, 0.0)
				sums[strings.TrimSuffix(q.Legend, ", native histogram")] += value
			}
		}
	}
	require.GreaterOrEqual(t, sums["deaths {{cluster}}"], deaths)
	require.Positive(t, sums["recoveries {{cluster}}"])
}

// checkOneKind checks that a result has classic buckets or native histograms, but not both.
func checkOneKind(t *testing.T, where string, got []series) {
	t.Helper()
	buckets := 0
	for _, s := range got {
		if _, isBucket := s.labels["le"]; isBucket {
			buckets++
		}
	}
	require.Contains(t, []int{0, len(got)}, buckets, where)
}

// checkNoData checks the tiles when no exporter runs: none may look healthy.
func checkNoData(t *testing.T, env *environment, all map[string]*board) {
	want := map[string]float64{"Exporters": 0, "Exporters down": 2, "Alerts firing": -1}
	for name, b := range all {
		v := &view{t: env.t, prom: env.prom, start: env.started, end: time.Now()}
		for _, p := range b.panels() {
			if p.Type != "stat" || strings.Contains(p.Targets[0].Expr, "$__range") {
				continue // Counts of past events in the time range are still known.
			}
			got, known := v.tile(b, p.Title)
			want, always := want[p.Title]
			require.Equal(t, always, known, "%s: %s says %v", name, p.Title, got)
			if want >= 0 {
				require.InDelta(t, want, got, 0, p.Title)
			}
		}
	}
}

package evaluators

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"servicegroup_exporter/internal/testserver"

	"github.com/stretchr/testify/require"
)

// A phase changes something, after which the alerts must change.
type phase struct {
	name   string
	change func()
	begin  []expected // the alerts that begin to fire; no other alert may begin
	end    []expected // the alerts that end; no other alert may end
}

// expected is an alert that is expected to begin or to end.
type expected struct {
	labels map[string]string // among all its labels
	series string            // the scraped series whose value makes the alert fire
	value  float64
	keep   time.Duration // how long it keeps firing after the value has changed
}

func memberDown(cloud, group, member string) expected {
	return expected{
		map[string]string{"alertname": "ServiceGroupMemberDown", "cluster": cloud, "source": "nova", "group": group, "member": member},
		fmt.Sprintf(`servicegroup_member_down{cluster=%q,source="nova",group=%q,member=%q}`, cloud, group, member), 1, keepFiring,
	}
}

// groupAlert is an alert about the schedulers, both of which are down.
func groupAlert(name, cloud string, keep time.Duration) expected {
	return expected{
		map[string]string{"alertname": name, "cluster": cloud, "source": "nova", "group": "scheduler"},
		fmt.Sprintf(`servicegroup_members_down{cluster=%q,source="nova",group="scheduler"}`, cloud), 2, keep,
	}
}

func unreachable(cloud string) expected {
	return expected{
		map[string]string{"alertname": "ServiceGroupSourceUnreachable", "cluster": cloud, "source": "nova"},
		fmt.Sprintf(`servicegroup_source_up{cluster=%q,source="nova"}`, cloud), 0, 0,
	}
}

func allDown(cloud string) expected {
	return expected{
		map[string]string{"alertname": "ServiceGroupExporterAllDown", "cluster": cloud},
		fmt.Sprintf(`up{cluster=%q}`, cloud), 0, 0,
	}
}

// TestSameAlerts runs Debian's Prometheus, a newer one and VictoriaMetrics beside each other. They must fire the same alerts, with
// the same labels, and notice each change at the first or second evaluation after the scrape that shows it. vmalert may take two
// evaluations of 5 s more.
func TestSameAlerts(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	server := testserver.MariaDB(t)
	a, b := newCloud(t, server, "a"), newCloud(t, server, "b")
	rules := printRules(t, a)
	all := []*evaluator{
		newPrometheus(t, "Debian's Prometheus", rules, a.target(), func(config string) *testserver.Prom {
			return testserver.Prometheus(t, config)
		}),
		newPrometheus(t, "Prometheus v0.316.0", rules, a.target(), func(config string) *testserver.Prom {
			return testserver.PrometheusAt(t, testserver.Built(t, "prometheus"), config)
		}),
		newVictoriaMetrics(t, rules, a.target(), "", "-disableAlertgroupLabel"),
	}
	for _, e := range all {
		e.waitForValue(`servicegroup_members{cluster="a",source="nova",group="compute",state="up"}`, 6)
	}
	report := newReport(all)
	for _, p := range phases(all, a, b) {
		report.run(t, p)
	}
	report.print(t)
}

func phases(all []*evaluator, a, b *cloud) []phase {
	outage := []expected{
		memberDown("a", "scheduler", "s1"), memberDown("a", "scheduler", "s2"),
		groupAlert("ServiceGroupOutage", "a", keepFiring), groupAlert("ServiceGroupDegraded", "a", 5*keepFiring/2),
	}
	return []phase{
		{
			name: "a member dies", change: func() { a.setDead(true, "c1") },
			begin: []expected{memberDown("a", "compute", "c1")},
		},
		{
			name: "it recovers", change: func() { a.setDead(false, "c1") },
			end: []expected{memberDown("a", "compute", "c1")},
		},
		{name: "a group is down", change: func() { a.setDead(true, "s1", "s2") }, begin: outage},
		{
			name: "the source can't be read", change: func() { a.letExporterRead(false) },
			begin: []expected{unreachable("a")},
		},
		{
			name: "the source can be read again", change: func() { a.letExporterRead(true) },
			end: []expected{unreachable("a")},
		},
		{
			name: "the group recovers, a member dies", change: func() { a.setDead(false, "s1", "s2"); a.setDead(true, "c2") },
			begin: []expected{memberDown("a", "compute", "c2")}, end: outage,
		},
		{
			name: "the exporter is away", change: func() { a.exporter.Kill() },
			begin: []expected{allDown("a")},
		},
		{
			name: "the exporter is back", change: func() { a.exporter.Start() },
			end: []expected{allDown("a")},
		},
		{
			name: "a second cloud, in which a member dies", change: func() {
				for _, e := range all {
					e.scrape(a.target() + ", " + b.target())
				}
				for _, e := range all {
					e.waitForValue(`servicegroup_members{cluster="b",source="nova",group="compute",state="up"}`, 6)
				}
				b.setDead(true, "c1")
			},
			begin: []expected{memberDown("b", "compute", "c1")},
		},
		{
			name: "the exporter of the second cloud is away", change: func() { b.exporter.Kill() },
			begin: []expected{allDown("b")},
		},
	}
}

// printRules writes the rules that the exporter prints to a file, and returns its path.
func printRules(t *testing.T, c *cloud) string {
	t.Helper()
	rules, err := exec.CommandContext(t.Context(), testserver.ExporterPath(t), "--config.file="+c.config, "rules").Output()
	require.NoError(t, err)
	path := filepath.Join(filepath.Dir(c.config), "rules.yml")
	write(t, path, string(rules))
	return path
}

// waitForValue waits until the newest sample of a series has a value.
func (e *evaluator) waitForValue(selector string, value float64) {
	e.Helper()
	testserver.Eventually(e, func() bool {
		points := e.samples(selector, time.Now().Add(-time.Minute))
		return len(points) > 0 && points[len(points)-1].value == value
	}, patience, 200*time.Millisecond, "%s: %s is %g", e.name, selector, value)
}

// A report has the measured delays.
type report struct {
	evaluators []*evaluator
	seen       []int // the events of each that are known
	rows       [][]string
}

func newReport(all []*evaluator) *report {
	header := []string{"phase", "alert"}
	for _, e := range all {
		header = append(header, e.name)
	}
	return &report{evaluators: all, seen: make([]int, len(all)), rows: [][]string{header}}
}

// run changes something and waits until the alerts of all evaluators have changed as expected.
func (r *report) run(t *testing.T, p phase) {
	t.Log(p.name)
	began := time.Now()
	p.change()
	changed := time.Now()
	events := make([]map[string]event, len(r.evaluators)) // by alert, for each evaluator
	for i, e := range r.evaluators {
		var got []event
		testserver.Eventually(t, func() bool { got = e.receiver.eventsSince(r.seen[i]); return len(got) >= len(p.begin)+len(p.end) },
			patience, 100*time.Millisecond, "%s: %s: got %v, want that %v begin and %v end", p.name, e.name, &got, p.begin, p.end)
		r.seen[i] += len(got)
		events[i] = map[string]event{}
		for _, v := range got {
			events[i][v.alert] = v
		}
		require.Len(t, events[i], len(got), "%s: %s: an alert began and ended: %v", p.name, e.name, got)
	}
	for _, e := range r.evaluators {
		e.waitForEvaluation(time.Now())
	}
	for _, x := range append(slices.Clone(p.begin), p.end...) {
		r.check(t, p, x, events, began, changed)
	}
	for i, e := range r.evaluators {
		require.Equal(t, r.evaluators[0].receiver.alerts(), e.receiver.alerts(), "%s: %s", p.name, e.name)
		require.Len(t, events[i], len(p.begin)+len(p.end), "%s: %s: %v", p.name, e.name, events[i])
	}
}

// check checks that all evaluators noticed in time that an alert began or ended, and adds a row to the report.
func (r *report) check(t *testing.T, p phase, x expected, events []map[string]event, began, changed time.Time) {
	begins := slices.ContainsFunc(p.begin, func(y expected) bool { return identify(y.labels) == identify(x.labels) })
	row := []string{p.name, description(x, begins)}
	for i, e := range r.evaluators {
		found, delay := false, time.Duration(0)
		for alert, v := range events[i] {
			if !x.matches(alert) {
				continue
			}
			found = true
			require.Equal(t, begins, v.firing, "%s: %s: %s", p.name, e.name, alert)
			delay = v.time.Sub(changed)
		}
		require.True(t, found, "%s: %s: %v: got %v", p.name, e.name, x.labels, events[i])
		late := e.late(x, began, begins)
		limit := 1
		if slices.Contains([]string{"ServiceGroupOutage", "ServiceGroupDegraded"}, x.labels["alertname"]) {
			// vmalert reads what it has recorded only when VictoriaMetrics has stored it, which takes as long as the offset.
			limit += 2 * int(e.offset/interval)
		}
		require.LessOrEqual(t, late, limit, "%s: %s: %v: evaluations until it was noticed", p.name, e.name, x.labels)
		row = append(row, fmt.Sprintf("%.1f s (%d)", delay.Seconds(), late))
	}
	r.rows = append(r.rows, row)
}

func description(x expected, begins bool) string {
	text := []string{strings.TrimPrefix(x.labels["alertname"], "ServiceGroup")}
	for _, label := range []string{"cluster", "group", "member"} {
		if x.labels[label] != "" {
			text = append(text, x.labels[label])
		}
	}
	if begins {
		return strings.Join(append(text, "fires"), " ")
	}
	return strings.Join(append(text, "ends"), " ")
}

// matches returns whether an alert has the labels.
func (x expected) matches(alert string) bool {
	labels := strings.Split(alert, ",")
	for name, value := range x.labels {
		if !slices.Contains(labels, name+"="+value) {
			return false
		}
	}
	return true
}

// waitForEvaluation waits until the results of an evaluation after a time can be read.
func (e *evaluator) waitForEvaluation(after time.Time) {
	e.Helper()
	testserver.Eventually(e, func() bool {
		return e.evaluations(after.Add(-time.Minute), float64(after.Add(-e.offset).UnixMilli())/1000, math.Inf(1)) > 0
	}, patience, 200*time.Millisecond, "%s evaluates the rules", e.name)
}

// late returns how many evaluations after the scrape that showed a change have not noticed it.
func (e *evaluator) late(x expected, began time.Time, begins bool) int {
	e.Helper()
	scraped := e.firstTime(x.series, began, func(v float64) bool { return (v == x.value) == begins })
	require.GreaterOrEqual(e, scraped, 0.0, "%s: %s has not changed", e.name, x.series)
	var list []string
	for name, value := range x.labels {
		list = append(list, fmt.Sprintf("%s=%q,", name, value))
	}
	matchers := strings.Join(list, "")
	if begins {
		active := e.firstTime("ALERTS_FOR_STATE{"+matchers+"}", began, func(v float64) bool { return v >= float64(began.Unix()) })
		require.GreaterOrEqual(e, active, 0.0, "%s: no ALERTS_FOR_STATE: %v", e.name, x.labels)
		return e.evaluations(began, scraped, active)
	}
	points := e.samples("ALERTS{"+matchers+`alertstate="firing"}`, began)
	if len(points) == 0 {
		return 0 // It ended at the first evaluation after the change.
	}
	// The first evaluation without the value begins the time for which the alert keeps firing.
	return max(0, e.evaluations(began, scraped+x.keep.Seconds(), points[len(points)-1].time+0.001)-1)
}

// print prints the delays from each change to the post of the alert, and how many evaluations were late.
func (r *report) print(t *testing.T) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range r.rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	require.NoError(t, table.Flush())
}

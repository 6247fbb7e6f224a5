package dashboards_test

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

var dayFolder = flag.String("day", "", "folder in which BenchmarkDay keeps the day's samples: only the first run makes them")

const (
	dayRuns = 5
	// dayWidth is the width of the dashboards in pixels: a graph has about one point for each.
	dayWidth = 1600
	// connections is the number of requests that a browser sends to one server at a time.
	connections = 6
)

// BenchmarkDay measures how long each dashboard takes to load a day of 10,000 members with two exporters, scraped each minute: from the
// first query to the answer of the last. Prometheus has the day in blocks of two hours, and does nothing else. The queries are those that
// Grafana sends, with its steps. All of it takes three minutes on two cores that do nothing else, and 4 GB of disk:
//
//	make dashboard-speed
func BenchmarkDay(b *testing.B) {
	folder := *dayFolder
	if folder == "" {
		folder = testserver.TempDir(b)
	}
	blocks, err := filepath.Glob(filepath.Join(folder, "*", "meta.json"))
	require.NoError(b, err)
	if len(blocks) < dayMinutes/blockMinutes {
		makeDay(b, folder)
	}
	prom := testserver.PrometheusOn(b, folder, "", "--storage.tsdb.retention.time=100y",
		"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h")
	all := boards(b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		measureLoads(b, prom, strings.TrimSuffix(name, ".json"), all[name])
	}
	b.ReportMetric(0, "ns/op")
}

// measureLoads reports the median time of loading a dashboard and the mean CPU time of Prometheus, and logs the slowest queries.
func measureLoads(b *testing.B, prom *testserver.Prom, name string, board *board) {
	b.Helper()
	var totals []time.Duration
	before := cpuSeconds(b, prom)
	queries := map[string][]time.Duration{}
	for range dayRuns {
		l := &load{b: b, prom: prom, board: board, took: map[string]time.Duration{}}
		totals = append(totals, l.run())
		for where, took := range l.took {
			queries[where] = append(queries[where], took)
		}
	}
	slices.Sort(totals)
	medians := map[string]time.Duration{}
	for where, times := range queries {
		slices.Sort(times)
		medians[where] = times[len(times)/2]
	}
	slowest := slices.SortedFunc(maps.Keys(medians), func(a, b string) int { return int(medians[b] - medians[a]) })
	b.Logf("%s: %d loads of %d queries took %.2f to %.2f s", name, len(totals), len(queries), totals[0].Seconds(), totals[len(totals)-1].Seconds())
	for _, where := range slowest[:5] {
		b.Logf("%s: %.2f s %s", name, medians[where].Seconds(), where)
	}
	b.ReportMetric(totals[len(totals)/2].Seconds(), name+"-s")
	b.ReportMetric((cpuSeconds(b, prom)-before)/dayRuns, name+"-cpu-s")
}

// cpuSeconds returns the CPU time that a Prometheus has used.
func cpuSeconds(b *testing.B, prom *testserver.Prom) float64 {
	b.Helper()
	response, err := http.Get(prom.URL() + "/metrics")
	require.NoError(b, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	found := regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)$`).FindSubmatch(text)
	require.NotNil(b, found)
	seconds, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(b, err)
	return seconds
}

// A load asks all queries of a dashboard once, for the last 24 hours of the day.
type load struct {
	b     *testing.B
	prom  *testserver.Prom
	board *board

	mu   sync.Mutex
	took map[string]time.Duration // by the place of the query
}

// request is the queries of one panel, which Grafana's server sends one after the other, or the query of one annotation.
type request []question

type question struct {
	where, url string
}

// run returns the time until all queries are answered: first the queries of variables, and then the queries of panels and annotations.
func (l *load) run() time.Duration {
	began := time.Now()
	requests := l.requests(l.variables())
	queue := make(chan request)
	var readers sync.WaitGroup
	for range connections {
		readers.Go(func() {
			for r := range queue {
				for _, q := range r {
					l.ask(q)
				}
			}
		})
	}
	for _, r := range requests {
		queue <- r
	}
	close(queue)
	readers.Wait()
	return time.Since(began)
}

// variables returns a view with all values of the variables. Their queries run one after the other, as most depend on one before.
func (l *load) variables() *view {
	end := time.Unix(dayTime(dayMinutes-1), 0)
	v := &view{t: l.b, prom: l.prom, start: end.Add(-24 * time.Hour), end: end, picked: map[string][]string{}}
	for _, variable := range l.board.Templating.List {
		if variable.Type != "query" {
			continue
		}
		began := time.Now()
		options := v.options(l.board, variable)
		l.took["variable "+variable.Name] = time.Since(began)
		if variable.AllValue == "" {
			v.picked[variable.Name] = options
		}
	}
	return v
}

func (l *load) requests(v *view) []request {
	var all []request
	for _, a := range l.board.Annotations.List {
		// Grafana takes longer steps.
		all = append(all, request{l.question(v, "annotation "+a.Name, target{Expr: a.Expr, Interval: a.Step}, dayWidth)})
	}
	for _, p := range l.board.panels() {
		var r request
		for _, q := range p.Targets {
			r = append(r, l.question(v, p.Title+" "+q.RefID, q, cmp.Or(p.MaxDataPoints, p.GridPos.W*dayWidth/24)))
		}
		all = append(all, r)
	}
	return all
}

// question returns a query as Grafana sends it for a graph with a width in pixels.
func (l *load) question(v *view, where string, q target, width int) question {
	if q.Instant {
		return question{where, "/api/v1/query?" + url.Values{"query": {v.expand(l.board, q.Expr)}, "time": {stamp(v.end)}}.Encode()}
	}
	shortest, err := time.ParseDuration(q.Interval)
	require.NoError(l.b, err)
	step := max(shortest, stepOf(v.end.Sub(v.start)/time.Duration(width)))
	seconds := func(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
	expr := strings.NewReplacer("$__rate_interval", seconds(max(step+shortest, 4*shortest)), "$__interval", seconds(step)).Replace(q.Expr)
	return question{where, "/api/v1/query_range?" + url.Values{
		"query": {v.expand(l.board, expr)}, "start": {stamp(v.start.Truncate(step))}, "end": {stamp(v.end.Truncate(step))}, "step": {seconds(step)},
	}.Encode()}
}

// stepOf rounds the time of one pixel to a step, as Grafana does.
func stepOf(pixel time.Duration) time.Duration {
	switch {
	case pixel < 90*time.Second:
		return time.Minute
	case pixel < 210*time.Second:
		return 2 * time.Minute
	default:
		return 5 * time.Minute
	}
}

// ask sends a query and reads the answer.
func (l *load) ask(q question) {
	began := time.Now()
	response, err := http.Get(l.prom.URL() + q.url)
	if err != nil {
		l.b.Errorf("%s: %v", q.where, err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		l.b.Errorf("%s: %s, %v, %.500s", q.where, response.Status, err, text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took[q.where] = time.Since(began)
}

package cli

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/app"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/constmetrics"
	"servicegroup_exporter/web"
)

// prometheusAccepts is what Prometheus 3 asks for unless it is told otherwise.
const prometheusAccepts = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
	"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

// BenchmarkScrape measures whole scrapes, from the request to the last byte of the answer, of members that live in a
// real server, and what the same answer costs in two other ways. `make bench` prints its results as tables.
func BenchmarkScrape(b *testing.B) {
	for _, store := range benchStores() {
		for _, members := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(store.name, " ", "_"), members), func(b *testing.B) {
				cfg, err := config.Parse("bench.yml", []byte(store.prepare(b, members)))
				require.NoError(b, err)
				s := newScraped(b, cfg.Sources, store.beat)
				s.measure(min(max(1_000_000/members, 20), 200), members) // so many scrapes
			})
		}
	}
}

// scraped is a collector that is scraped.
type scraped struct {
	b          *testing.B
	beat       func(*testing.B)
	collector  *collector.Collector
	histograms *prometheus.Registry
	drivers    []drivers.Driver
	upOnly     bool
}

func newScraped(b *testing.B, sources []config.Source, beat func(*testing.B)) *scraped {
	s := &scraped{b: b, beat: beat, histograms: prometheus.NewRegistry(), upOnly: sources[0].Expose == "up"}
	var err error
	s.collector, err = collector.New(collector.Options{Registerer: s.histograms})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.collector.Close()) })
	configs := app.CollectorSources(sources, slog.New(slog.DiscardHandler))
	for i := range configs {
		open := configs[i].Open
		configs[i].Open = func() (drivers.Driver, error) {
			driver, err := open()
			s.drivers = append(s.drivers, driver)
			return driver, err
		}
	}
	require.NoError(b, s.collector.Apply(configs))
	return s
}

// ours is what the program serves.
func (s *scraped) ours() http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(s.collector)
	o := web.Options{Settings: web.DefaultSettings(), Logger: slog.New(slog.DiscardHandler)}
	o.Gatherer, o.Families = prometheus.Gatherers{s.histograms, own}, s.collector.Families
	o.Registerer, o.Poll = prometheus.NewRegistry(), s.collector.Poll
	handler, err := web.New(o)
	require.NoError(s.b, err)
	return handler
}

// anew polls, makes every series anew and lets client_golang do the rest, as exporters usually do.
func (s *scraped) anew() (http.Handler, prometheus.Gatherer) {
	usual := constmetrics.New(s.collector)
	if s.upOnly {
		usual.UpOnly = map[string]bool{"bench": true}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(usual)
	all := prometheus.Gatherers{s.histograms, registry}
	return s.pollFirst(promhttp.HandlerFor(all, promhttp.HandlerOpts{EnableOpenMetrics: true})), all
}

// encodeOnly polls, and encodes series that were made and gathered long before.
func (s *scraped) encodeOnly(all prometheus.Gatherer) http.Handler {
	families, err := all.Gather()
	require.NoError(s.b, err)
	return s.pollFirst(promhttp.HandlerForTransactional(madeBefore(families), promhttp.HandlerOpts{EnableOpenMetrics: true}))
}

func (s *scraped) pollFirst(answer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.collector.Poll(r.Context())
		answer.ServeHTTP(w, r)
	})
}

// madeBefore are families that were gathered long ago.
type madeBefore []*dto.MetricFamily

func (m madeBefore) Gather() ([]*dto.MetricFamily, func(), error) { return m, func() {}, nil }

// A counted answer is thrown away.
type counted struct {
	header http.Header
	bytes  int
}

func (c *counted) Header() http.Header { return c.header }

func (c *counted) WriteHeader(int) {}

func (c *counted) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

// scrape gives the size of the answer.
func scrape(h http.Handler, encoding string) int {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	request.Header.Set("Accept", prometheusAccepts)
	request.Header.Set("Accept-Encoding", encoding)
	answer := &counted{header: make(http.Header)}
	h.ServeHTTP(answer, request)
	return answer.bytes
}

func (s *scraped) measure(n, members int) {
	b, ours := s.b, s.ours()
	for try := 1; s.served(ours) != members; try++ { // A large tree may need several polls to be known.
		require.Less(b, try, 10, "some members are not served")
	}

	// Memory comes first, as the other ways need more.
	memory := peakMemory(b, func() { s.cpu(n, func() { scrape(ours, "gzip") }) })
	var operations, allocs uint64
	var times []time.Duration
	cpu := s.cpu(n, func() {
		asked, allocated := s.operations(), allocations()
		begun := time.Now()
		scrape(ours, "gzip")
		times = append(times, time.Since(begun))
		operations, allocs = operations+s.operations()-asked, allocs+allocations()-allocated
	})
	b.ReportMetric(float64(operations)/float64(len(times)), "requests")
	b.ReportMetric(float64(allocs)/float64(len(times)), "allocs")
	slices.Sort(times)
	report := func(unit string, d time.Duration) { b.ReportMetric(float64(d.Microseconds())/1e3, unit) }
	report("p50-ms", times[len(times)/2])
	report("p99-ms", times[len(times)*99/100])
	b.ReportMetric(float64(memory)/1e6, "rss-MB")
	b.ReportMetric(float64(scrape(ours, ""))/1e6, "answer-MB")
	b.ReportMetric(float64(scrape(ours, "gzip"))/1e6, "sent-MB")

	report("cpu-ms", cpu)
	report("plain-cpu-ms", s.cpu(n, func() { scrape(ours, "") }))
	report("poll-cpu-ms", s.cpu(n, func() { s.collector.Poll(b.Context()) }))
	anew, all := s.anew()
	report("anew-cpu-ms", s.cpu(n/2, func() { scrape(anew, "gzip") }))
	report("plain-anew-cpu-ms", s.cpu(n/2, func() { scrape(anew, "") }))
	encode := s.encodeOnly(all)
	report("encode-cpu-ms", s.cpu(n/2, func() { scrape(encode, "gzip") }))
	report("plain-encode-cpu-ms", s.cpu(n/2, func() { scrape(encode, "") }))
	b.ReportMetric(0, "ns/op")
}

// served counts the members in an answer.
func (s *scraped) served(h http.Handler) int {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(s.b.Context(), http.MethodGet, "/metrics", nil))
	return bytes.Count(answer.Body.Bytes(), []byte("\nservice_up{"))
}

// cpu gives the time that this process's threads worked for each call, garbage collection included. The first call makes
// ready.
func (s *scraped) cpu(n int, f func()) time.Duration {
	f()
	runtime.GC()
	var sum time.Duration
	for range n {
		if s.beat != nil {
			s.beat(s.b)
		}
		before := cpuTime(s.b)
		f()
		sum += cpuTime(s.b) - before
	}
	return sum / time.Duration(n)
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (s *scraped) operations() (sum uint64) {
	for _, driver := range s.drivers {
		sum += driver.(drivers.Counter).Counts().Operations
	}
	return sum
}

package bench

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
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
	"servicegroup_exporter/web"
)

// prometheusAccepts is the Accept header of Prometheus 3 with its default settings.
const prometheusAccepts = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
	"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

// BenchmarkScrape measures whole scrapes of members on real servers, from the request to the last byte of the response, and
// the cost of the same response in two other ways.
func BenchmarkScrape(b *testing.B) {
	for _, store := range stores() {
		for _, members := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(store.name, " ", "_"), members), func(b *testing.B) {
				cfg, err := sources.Parse("bench.yml", []byte(store.prepare(b, members)))
				require.NoError(b, err)
				s := newBenchmark(b, sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources(), store.beat)
				scrapes := min(max(1_000_000/members, 20), 200)
				s.measure(scrapes, members)
			})
		}
	}
}

// A benchmark scrapes one collector.
type benchmark struct {
	b          *testing.B
	beat       func(*testing.B)
	collector  *collector.Collector
	histograms *prometheus.Registry
	drivers    []drivers.Driver
	upOnly     bool
}

func newBenchmark(b *testing.B, polled []sources.Source, beat func(*testing.B)) *benchmark {
	s := &benchmark{b: b, beat: beat, histograms: prometheus.NewRegistry(), upOnly: polled[0].Declared.MemberMetrics == "minimal"}
	var err error
	s.collector, err = collector.New(collector.Options{Registerer: s.histograms})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.collector.Close()) })
	configs := app.CollectorSources(polled, slog.New(slog.DiscardHandler))
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

// ours returns the handler of this program.
func (s *benchmark) ours() http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(s.collector)
	o := web.Options{Settings: web.DefaultSettings(), Logger: slog.New(slog.DiscardHandler)}
	o.Gatherer, o.Families = prometheus.Gatherers{s.histograms, own}, s.collector.Families
	o.Registerer, o.Poll = prometheus.NewRegistry(), func(ctx context.Context) web.View { return s.collector.Poll(ctx) }
	handler, err := web.New(o)
	require.NoError(s.b, err)
	return handler
}

// constant returns a handler that polls, makes constant metrics, and gathers and encodes them with client_golang, as common
// exporters do.
func (s *benchmark) constant() (http.Handler, prometheus.Gatherer) {
	metrics := newConstMetrics(s.collector)
	if s.upOnly {
		metrics.upOnly = map[string]bool{"bench": true}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	all := prometheus.Gatherers{s.histograms, registry}
	return s.pollFirst(promhttp.HandlerFor(all, promhttp.HandlerOpts{EnableOpenMetrics: true})), all
}

// encodeOnly returns a handler that polls, and encodes families that were gathered once before.
func (s *benchmark) encodeOnly(all prometheus.Gatherer) http.Handler {
	families, err := all.Gather()
	require.NoError(s.b, err)
	return s.pollFirst(promhttp.HandlerForTransactional(gathered(families), promhttp.HandlerOpts{EnableOpenMetrics: true}))
}

func (s *benchmark) pollFirst(answer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.collector.Poll(r.Context())
		answer.ServeHTTP(w, r)
	})
}

// gathered is a gatherer of families that were gathered before.
type gathered []*dto.MetricFamily

func (g gathered) Gather() ([]*dto.MetricFamily, func(), error) { return g, func() {}, nil }

// A byteCounter counts the bytes of a response and discards them.
type byteCounter struct {
	header http.Header
	bytes  int
}

func (c *byteCounter) Header() http.Header { return c.header }

func (c *byteCounter) WriteHeader(int) {}

func (c *byteCounter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

// scrape returns the size of the response.
func scrape(h http.Handler, encoding string) int {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	request.Header.Set("Accept", prometheusAccepts)
	request.Header.Set("Accept-Encoding", encoding)
	response := &byteCounter{header: make(http.Header)}
	h.ServeHTTP(response, request)
	return response.bytes
}

func (s *benchmark) measure(n, members int) {
	b, ours := s.b, s.ours()
	for try := 1; s.served(ours) != members; try++ { // Reading a large tree may take several polls.
		require.Less(b, try, 10, "some members have no series")
	}

	// Memory is measured first, because the other ways need more.
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
	constant, all := s.constant()
	report("constant-cpu-ms", s.cpu(n/2, func() { scrape(constant, "gzip") }))
	report("plain-constant-cpu-ms", s.cpu(n/2, func() { scrape(constant, "") }))
	encode := s.encodeOnly(all)
	report("encode-cpu-ms", s.cpu(n/2, func() { scrape(encode, "gzip") }))
	report("plain-encode-cpu-ms", s.cpu(n/2, func() { scrape(encode, "") }))
	b.ReportMetric(0, "ns/op")
}

// served returns the number of members in a response.
func (s *benchmark) served(h http.Handler) int {
	response := httptest.NewRecorder()
	h.ServeHTTP(response, httptest.NewRequestWithContext(s.b.Context(), http.MethodGet, "/metrics", nil))
	return bytes.Count(response.Body.Bytes(), []byte("\nservice_up{"))
}

// cpu returns the CPU time of this process per call of f, with garbage collection. A first call of f is not measured.
func (s *benchmark) cpu(n int, f func()) time.Duration {
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

func (s *benchmark) operations() (sum uint64) {
	for _, driver := range s.drivers {
		sum += driver.(drivers.Counter).Counts().Operations
	}
	return sum
}

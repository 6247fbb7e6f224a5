package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
)

func TestPollTimeout(t *testing.T) {
	const offset, byDefault = 500 * time.Millisecond, 7 * time.Second
	for header, want := range map[string]time.Duration{
		"":            byDefault,
		"10":          9500 * time.Millisecond,
		"10.25":       9750 * time.Millisecond,
		"1":           500 * time.Millisecond,
		"0.6":         300 * time.Millisecond, // The offset would leave next to nothing.
		"0.01":        5 * time.Millisecond,
		"0":           byDefault,
		"-5":          byDefault,
		"NaN":         byDefault,
		"+Inf":        byDefault,
		"1e400":       byDefault,
		"1e300":       byDefault,
		"10s":         byDefault,
		"ten":         byDefault,
		"119":         118500 * time.Millisecond,
		"120":         119500 * time.Millisecond,
		"3600":        119500 * time.Millisecond,
		"1e9":         119500 * time.Millisecond,
		"1, 10":       byDefault,
		"0x1p3":       7500 * time.Millisecond,
		" 10":         byDefault,
		"99999999999": byDefault,
	} {
		t.Run(header, func(t *testing.T) {
			h := http.Header{}
			if header != "" {
				h.Set(timeoutHeader, header)
			}
			require.Equal(t, want, pollTimeout(h, offset, byDefault))
		})
	}
}

// A scrape shows what its own poll found, under its own deadline.
func TestScrapePollsFirst(t *testing.T) { synctest.Test(t, testScrapePollsFirst) }

func testScrapePollsFirst(t *testing.T) {
	o := testOptions()
	polls := prometheus.NewCounter(prometheus.CounterOpts{Name: "polls_total", Help: "Polls."})
	o.Registerer.MustRegister(polls)
	var left time.Duration
	o.Poll = func(ctx context.Context) View {
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		left = time.Until(deadline)
		polls.Inc()
		return nil
	}
	handler := newHandler(t, o)

	_, body := do(t, handler, "GET", "/metrics", http.Header{timeoutHeader: {"60"}})
	require.Contains(t, body, "\npolls_total 1\n")
	require.Equal(t, 59500*time.Millisecond, left)

	_, body = do(t, handler, "GET", "/metrics", nil)
	require.Contains(t, body, "\npolls_total 2\n")
	require.Equal(t, 10*time.Second, left)
}

func TestPollEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions()
		o.Poll = func(ctx context.Context) View { <-ctx.Done(); return nil }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		w := httptest.NewRecorder()
		began := time.Now()
		newHandler(t, o).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
		require.Equal(t, 10*time.Millisecond, time.Since(began))
	})
}

func TestHungPollEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions()
		o.Poll = func(ctx context.Context) View { <-ctx.Done(); return nil }
		began := time.Now()
		resp, body := do(t, newHandler(t, o), "GET", "/metrics", http.Header{timeoutHeader: {"0.1"}})
		require.Equal(t, 200, resp.StatusCode)
		require.Contains(t, body, "promhttp_")
		require.Equal(t, 50*time.Millisecond, time.Since(began))
	})
}

func TestScrapeLimit(t *testing.T) {
	polling, release := make(chan struct{}), make(chan struct{})
	o := testOptions()
	o.MaxRequests = 2
	o.Poll = func(context.Context) View {
		polling <- struct{}{}
		<-release
		return nil
	}
	handler := newHandler(t, o)
	var scrapes sync.WaitGroup
	for range o.MaxRequests {
		scrapes.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
			handler.ServeHTTP(httptest.NewRecorder(), r)
		})
		<-polling
	}
	resp, body := do(t, handler, "GET", "/metrics", nil)
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "2 scrapes are in progress already\n", body)
	resp, _ = do(t, handler, "GET", "/-/healthy", nil)
	require.Equal(t, 200, resp.StatusCode, "only scrapes are limited")

	close(release)
	scrapes.Wait()
	go func() { <-polling }()
	_, body = do(t, handler, "GET", "/metrics", nil)
	require.Contains(t, body, `promhttp_metric_handler_requests_total{code="200"} 2`)
	require.Contains(t, body, `promhttp_metric_handler_requests_total{code="503"} 1`)
}

func TestNoScrapeLimit(t *testing.T) {
	o := testOptions()
	o.MaxRequests = 0
	resp, _ := do(t, newHandler(t, o), "GET", "/metrics", nil)
	require.Equal(t, 200, resp.StatusCode)
}

func TestNegotiation(t *testing.T) {
	o := testOptions()
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "latency_seconds", Help: "Latency.",
		Buckets: []float64{1, 10}, NativeHistogramBucketFactor: 1.1,
	})
	latency.Observe(3)
	o.Registerer.MustRegister(latency)
	handler := newHandler(t, o)

	t.Run("text", func(t *testing.T) {
		resp, body := do(t, handler, "GET", "/metrics", nil)
		require.Contains(t, resp.Header.Get("Content-Type"), "text/plain; version=0.0.4")
		require.Contains(t, body, "latency_seconds_bucket{le=\"10\"} 1\n")
	})
	t.Run("OpenMetrics", func(t *testing.T) {
		resp, body := do(t, handler, "GET", "/metrics",
			http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}})
		require.Contains(t, resp.Header.Get("Content-Type"), "application/openmetrics-text; version=1.0.0")
		require.True(t, strings.HasSuffix(body, "# EOF\n"))
		require.NotContains(t, body, "_created")
	})
	t.Run("protobuf", func(t *testing.T) {
		resp, body := do(t, handler, "GET", "/metrics", http.Header{"Accept": {
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		}})
		families := expfmt.NewDecoder(strings.NewReader(body), expfmt.ResponseFormat(resp.Header))
		var family dto.MetricFamily
		require.NoError(t, families.Decode(&family))
		require.Equal(t, "latency_seconds", family.GetName())
		histogram := family.GetMetric()[0].GetHistogram()
		require.Equal(t, int32(3), histogram.GetSchema(), "the native histogram is there")
		require.Len(t, histogram.GetBucket(), 2, "and so is the classic one")
	})
	// What Prometheus 3.16 sends by default, with UTF-8 names or without, and if OpenMetrics 2 or native histograms are preferred.
	t.Run("of this year", func(t *testing.T) {
		const (
			text     = "application/openmetrics-text;version=1.0.0;escaping=%s;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=%[1]s;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
			second   = "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.7,"
			protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
		)
		for accept, want := range map[string]string{
			fmt.Sprintf(text, "allow-utf-8"):            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
			fmt.Sprintf(text, "underscores"):            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
			second + fmt.Sprintf(text, "allow-utf-8"):   "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
			strings.TrimSuffix(second, ","):             "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
			protobuf + fmt.Sprintf(text, "allow-utf-8"): "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores",
		} {
			resp, body := do(t, handler, "GET", "/metrics", http.Header{"Accept": {accept}})
			require.Equal(t, http.StatusOK, resp.StatusCode)
			require.Equal(t, want, resp.Header.Get("Content-Type"), accept)
			require.Contains(t, body, "latency_seconds")
		}
	})
	t.Run("gzip", func(t *testing.T) {
		resp, body := do(t, handler, "GET", "/metrics", http.Header{"Accept-Encoding": {"gzip"}})
		require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
		r, err := gzip.NewReader(strings.NewReader(body))
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Contains(t, string(text), "latency_seconds_count 1\n")
	})
}

// brokenCollector has one metric that can't be collected.
type brokenCollector struct{ desc *prometheus.Desc }

func (c brokenCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c brokenCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(c.desc, errors.New("out of order"))
}

func TestOneBadMetricIsNotTheScrape(t *testing.T) {
	var log bytes.Buffer
	o := testOptions()
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	o.Registerer.MustRegister(brokenCollector{prometheus.NewDesc("broken", "Broken.", nil, nil)})
	handler := newHandler(t, o)
	resp, body := do(t, handler, "GET", "/metrics", nil)
	require.Equal(t, 200, resp.StatusCode)
	require.Contains(t, body, "promhttp_metric_handler_requests_in_flight 1")
	require.Contains(t, log.String(), `level=ERROR msg="Serving metrics failed" err="gathering metrics`)
	require.Contains(t, log.String(), "out of order")
	_, body = do(t, handler, "GET", "/metrics", nil)
	require.Contains(t, body, `promhttp_metric_handler_errors_total{cause="gathering"} 1`)
}

// brokenWriter is the connection of a client that went away.
type brokenWriter struct{ httptest.ResponseRecorder }

func (w *brokenWriter) Write([]byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
}

func TestClosedClientIsNotAnError(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		var log bytes.Buffer
		o := testOptions()
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
		r.Header.Set("Accept-Encoding", encoding)
		newHandler(t, o).ServeHTTP(&brokenWriter{*httptest.NewRecorder()}, r)
		require.Contains(t, log.String(), "level=DEBUG")
		require.NotContains(t, log.String(), "level=ERROR")
	}
}

// In OpenMetrics, a counter and another metric with its name without "_total" would be one family twice.
func TestNamesThatOpenMetricsCannotTellApart(t *testing.T) {
	o := testOptions()
	o.Registerer.MustRegister(
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "memory", Help: "Gauge."}),
		prometheus.NewCounter(prometheus.CounterOpts{Name: "memory_total", Help: "Counter."}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "size", Help: "Gauge."}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "size_total", Help: "Gauge, in spite of its name."}), //nolint:promlinter // It is about such names.
		prometheus.NewCounter(prometheus.CounterOpts{Name: "alone_total", Help: "Counter."}),
	)
	handler := newHandler(t, o)
	for accept, both := range map[string]bool{
		"":           true,
		"text/plain": true,
		"application/openmetrics-text;version=1.0.0;charset=utf-8": false,
		"application/openmetrics-text;version=0.0.1":               false,
		"application/openmetrics-text":                             false,
	} {
		_, body := do(t, handler, "GET", "/metrics", http.Header{"Accept": {accept}})
		require.Equal(t, both, strings.Contains(body, "\nmemory 0"), accept)
		for _, name := range []string{"memory_total", "size", "size_total", "alone_total"} {
			require.Contains(t, body, "\n"+name+" 0", accept)
		}
	}
}

package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// timeoutHeader is the header in which Prometheus sends its scrape timeout, in seconds.
const timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// maxTimeout bounds the scrape timeout that a client may send.
const maxTimeout = 2 * time.Minute

// newScrapeHandler returns a handler that polls under the scrape's own deadline and then writes the metrics. The limit on
// concurrent scrapes includes the poll, so that clients with short timeouts can't start more and more polls.
func newScrapeHandler(o Options) (http.Handler, error) {
	metrics, err := newMetricsHandler(o)
	if err != nil {
		return nil, err
	}
	poll := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pollTimeout(r.Header, o.TimeoutOffset, o.DefaultTimeout))
		defer cancel()
		metrics.serve(w, r, o.Poll(ctx))
	})
	return promhttp.InstrumentMetricHandler(o.Registerer, limit(o.MaxRequests, poll)), nil
}

// limit answers 503 while n requests are in progress; zero is no limit.
func limit(n int, next http.Handler) http.Handler {
	if n == 0 {
		return next
	}
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "5")
			http.Error(w, fmt.Sprintf("%d scrapes are in progress already", n), http.StatusServiceUnavailable)
		}
	})
}

// pollTimeout returns how long the poll of a scrape may take: the scrape timeout minus offset, but at least half of the
// scrape timeout. Without a valid header it returns the default.
func pollTimeout(h http.Header, offset, byDefault time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(h.Get(timeoutHeader), 64)
	// The condition is negated so that NaN fulfils it too. ParseFloat returns an infinity with its range error.
	if err != nil || !(seconds > 0) || seconds > 1e9 {
		return byDefault
	}
	timeout := maxTimeout
	if seconds < maxTimeout.Seconds() {
		timeout = time.Duration(seconds * float64(time.Second))
	}
	return max(timeout-offset, timeout/2)
}

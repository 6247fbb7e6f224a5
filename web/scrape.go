package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// timeoutHeader is how Prometheus tells a target when it will give up, in seconds.
const timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// maxTimeout bounds what a client may ask a poll to wait.
const maxTimeout = 2 * time.Minute

// newScrapeHandler polls under the scrape's own deadline and then writes what is known. The limit on scrapes is outside
// of the poll, so that clients without patience can't pile up polls.
func newScrapeHandler(o Options) (http.Handler, error) {
	answer, err := newAnswerer(o)
	if err != nil {
		return nil, err
	}
	poll := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pollTimeout(r.Header, o.TimeoutOffset, o.DefaultTimeout))
		defer cancel()
		o.Poll(ctx)
		answer.ServeHTTP(w, r)
	})
	return promhttp.InstrumentMetricHandler(o.Registerer, limit(o.MaxRequests, poll)), nil
}

// limit answers 503 while n requests are under way; zero is no limit.
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
			http.Error(w, fmt.Sprintf("%d scrapes are under way already", n), http.StatusServiceUnavailable)
		}
	})
}

// pollTimeout is how long a poll may take for this scrape: what the scraper says it waits less offset, but never less
// than half of it. Without a usable header it is the default.
func pollTimeout(h http.Header, offset, byDefault time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(h.Get(timeoutHeader), 64)
	// Written so that NaN takes this branch too. ParseFloat gives an infinity with its range error.
	if err != nil || !(seconds > 0) || seconds > 1e9 {
		return byDefault
	}
	timeout := maxTimeout
	if seconds < maxTimeout.Seconds() {
		timeout = time.Duration(seconds * float64(time.Second))
	}
	return max(timeout-offset, timeout/2)
}

package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// timeoutHeader is how Prometheus tells a target when it will give up, in seconds.
const timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// maxTimeout bounds what a client may ask a poll to wait.
const maxTimeout = 2 * time.Minute

// newScrapeHandler polls under the scrape's own deadline and then writes what is known. The limit on scrapes is outside
// of the poll, so that clients without patience can't pile up polls.
//
// Gathers are not coalesced: a scrape that joined one under way would get what was known before its own poll.
func newScrapeHandler(o Options) http.Handler {
	gather := promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog:          gatherLog{o.Logger},
		ErrorHandling:     promhttp.ContinueOnError,
		Registry:          o.Registerer,
		EnableOpenMetrics: true,
	})
	poll := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pollTimeout(r.Header, o.TimeoutOffset, o.DefaultTimeout))
		defer cancel()
		o.Poll(ctx)
		gather.ServeHTTP(w, r)
	})
	return promhttp.InstrumentMetricHandler(o.Registerer, limit(o.MaxRequests, poll))
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

// gatherLog takes what promhttp has to say. A client that went away is no error of ours, and promhttp would report it
// once for every metric family left.
type gatherLog struct{ logger *slog.Logger }

// Println logs one report of promhttp, which passes a text and an error.
func (l gatherLog) Println(args ...any) {
	level := slog.LevelError
	for _, arg := range args {
		err, _ := arg.(error)
		if _, gone := errors.AsType[*net.OpError](err); gone {
			level = slog.LevelDebug
		}
	}
	l.logger.Log(context.Background(), level, "Serving metrics failed", "err", strings.TrimSpace(fmt.Sprintln(args...)))
}

// Package web is the HTTP surface: the scrape, health, readiness, reload and the pages, and the server that
// serves them with the exporter toolkit's TLS and authentication.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/web/page"
)

// Settings are the parts of [Options] that users choose.
type Settings struct {
	// MetricsPath is the path of the metrics, for example "/metrics".
	MetricsPath string
	// MaxRequests bounds the scrapes in progress at once; more are answered with 503. Zero: no bound.
	MaxRequests int
	// TimeoutOffset is subtracted from the scraper's timeout to leave time to send the response.
	TimeoutOffset time.Duration
	// DefaultTimeout bounds the poll of a client that does not send a timeout.
	DefaultTimeout time.Duration
}

// DefaultSettings returns the defaults.
func DefaultSettings() Settings {
	return Settings{
		MetricsPath:    "/metrics",
		MaxRequests:    40,
		TimeoutOffset:  500 * time.Millisecond,
		DefaultTimeout: 10 * time.Second,
	}
}

// Options are what the HTTP surface needs from the rest of the program.
type Options struct {
	Settings

	// Logger receives what goes wrong while metrics are gathered and written. Required.
	Logger *slog.Logger
	// Gatherer gives the metrics, Registerer takes the scrape handler's own. Both are required.
	Gatherer   prometheus.Gatherer
	Registerer prometheus.Registerer
	// Families gives metrics that the Gatherer does not have, sorted by name. Nil: there are none.
	Families func() []exposition.Family

	// Poll brings the metrics up to date before they are gathered and returns when ctx ends at the latest. Required.
	Poll func(ctx context.Context)
	// Ready says why the program can't serve yet. Nil: it always can.
	Ready func() error
	// Reload reads the configuration again and returns once it is in use, or says why the old one was kept. Nil: the
	// lifecycle endpoint is off.
	Reload func() error

	// API answers everything below /api/ and /sd/. Nil: nothing is there.
	API http.Handler

	// Runbooks answers below /runbooks/, see [NewRunbooks]. Nil: nothing is there.
	Runbooks http.Handler

	// Version is shown on the pages.
	Version string
}

// Where the pages are, besides the status page at the root.
const (
	memberPath = "/member"
	assetsPath = "/assets/"
)

// Validate returns an error that names the first setting that is out of range.
func (s Settings) Validate() error {
	switch {
	case s.MaxRequests < 0:
		return fmt.Errorf("the number of concurrent scrapes must not be negative, but is %d", s.MaxRequests)
	case s.TimeoutOffset < 0:
		return fmt.Errorf("the scrape timeout offset must not be negative, but is %s", s.TimeoutOffset)
	case s.DefaultTimeout <= 0:
		return fmt.Errorf("the default scrape timeout must be more than zero, but is %s", s.DefaultTimeout)
	}
	return validatePath(s.MetricsPath)
}

// validatePath refuses paths that the router would misread, or would not reach.
func validatePath(p string) error {
	if !strings.HasPrefix(p, "/") || p != path.Clean(p) || strings.ContainsAny(p, "{}?#% \t\r\n") {
		return fmt.Errorf("%q is not a path like /metrics", p)
	}
	if p == memberPath {
		return fmt.Errorf("metrics can't be at %q: the page of a member is there", p)
	}
	for _, taken := range []string{"/-/", "/api/", "/sd/", assetsPath, runbooksPath} {
		if strings.HasPrefix(p, taken) {
			return fmt.Errorf("metrics can't be at %q: paths below %s are taken", p, taken)
		}
	}
	return nil
}

// New makes the handler of everything that is served. It fails if an option is missing or out of range.
func New(o Options) (http.Handler, error) {
	if o.Logger == nil || o.Gatherer == nil || o.Registerer == nil || o.Poll == nil {
		return nil, errors.New("web options lack a logger, gatherer, registerer or poll")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	pages, err := page.New(page.Options{MetricsPath: o.MetricsPath, Version: o.Version})
	if err != nil {
		return nil, fmt.Errorf("making the pages: %w", err)
	}
	scrape, err := newScrapeHandler(o)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	if o.MetricsPath == "/" {
		mux.Handle("GET /{$}", scrape) // instead of the status page
	} else {
		mux.Handle("GET /{$}", pages)
		mux.Handle("GET "+o.MetricsPath, scrape)
	}
	mux.Handle("GET "+memberPath, pages)
	mux.Handle("GET "+assetsPath, pages)
	mux.Handle("GET "+runbooksPath, orNotFound(o.Runbooks))
	if o.API != nil {
		mux.Handle("/api/", o.API)
		mux.Handle("/sd/", o.API)
	}
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.Handle("GET /-/ready", readyHandler(o.Ready))
	reload := newReloadHandler(o.Reload)
	mux.Handle("POST /-/reload", reload)
	mux.Handle("PUT /-/reload", reload)
	return withHeaders(drainBody(mux)), nil
}

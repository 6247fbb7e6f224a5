// Package web serves everything that the program has over HTTP: metrics, health, readiness, reload, the pages and the API. The
// server has the TLS and the authentication of the exporter toolkit.
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
	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/internal/suggest"
	"servicegroup_exporter/web/api"
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

// Options are what the handler needs from the rest of the program.
type Options struct {
	Settings

	// Logger receives the errors of gathering and writing metrics. Required.
	Logger *slog.Logger
	// Gatherer returns the metrics, Registerer takes the metrics of the scrape handler itself. Both are required.
	Gatherer   prometheus.Gatherer
	Registerer prometheus.Registerer
	// Families returns the families of metrics that the Gatherer does not have, sorted by name. Nil: there are none.
	Families func() []exposition.Family

	// Poll updates the metrics before they are gathered. It returns when ctx ends at the latest, with what this scrape can know;
	// nil: what Gatherer and Families have. Required.
	Poll func(ctx context.Context) View
	// Ready reports whether the program is ready. If Ready is nil, it always is.
	Ready func() bool
	// Reload reloads the configuration. It returns when the new configuration is in use, or the error why the old one stays
	// in use. Nil: the reload endpoint is disabled.
	Reload func() error

	// API answers all requests below /api/ and /sd/. Nil: they are answered with 404.
	API http.Handler

	// Runbooks answers all requests below /runbooks/, see [NewRunbooks]. Nil: they are answered with 404.
	Runbooks http.Handler

	// Version is shown on the pages.
	Version string
	// Snapshots returns what is known of the sources, and Pending whether a source without a snapshot may still be found. Nil: there
	// are no sources.
	Snapshots func() []collector.Snapshot
	Pending   func(source string) bool
	// History and Alerts are what the pages show without JavaScript. Nil: nothing.
	History *api.History
	Alerts  api.Alerts
}

// A View is what one scrape can know. It differs from what all know if the scrape had too little time for a source.
type View interface {
	// Families replaces [Options.Families].
	Families() []exposition.Family
	// Correct replaces what [Options.Gatherer] has gathered. It returns its argument beside an error.
	Correct(gathered []*dto.MetricFamily) ([]*dto.MetricFamily, error)
}

// The paths of the pages, besides the status page at the root.
const (
	memberPath = "/member"
	hostsPath  = "/hosts"
	hostPath   = "/host"
	assetsPath = "/assets/"
)

// Validate returns an error that names the first setting that is out of range.
func (s Settings) Validate() error {
	switch {
	case s.MaxRequests < 0:
		return fmt.Errorf("--web.max-requests is %d, must not be negative", s.MaxRequests)
	case s.TimeoutOffset < 0:
		return fmt.Errorf("--timeout-offset is %s, must not be negative", s.TimeoutOffset)
	case s.DefaultTimeout <= 0:
		return fmt.Errorf("the default scrape timeout must be more than zero, but is %s", s.DefaultTimeout)
	}
	return validatePath(s.MetricsPath)
}

// validatePath refuses paths that the router would take for a pattern, or would never match.
func validatePath(p string) error {
	if !strings.HasPrefix(p, "/") || p != path.Clean(p) || strings.ContainsAny(p, "{}?#% \t\r\n") {
		return fmt.Errorf("--web.telemetry-path: %s is not a path like /metrics", suggest.Quote(p))
	}
	if p == memberPath || p == hostsPath || p == hostPath {
		return fmt.Errorf("--web.telemetry-path can't be %q, because a page has that path", p)
	}
	for _, taken := range []string{"/-/", "/api/", "/sd/", assetsPath, runbooksPath} {
		if strings.HasPrefix(p, taken) {
			return fmt.Errorf("--web.telemetry-path can't be %q, because paths below %s are in use", p, taken)
		}
	}
	return nil
}

// New returns the handler of all paths. It returns an error if an option is missing or out of range.
func New(o Options) (http.Handler, error) {
	if o.Logger == nil || o.Gatherer == nil || o.Registerer == nil || o.Poll == nil {
		return nil, errors.New("web options lack a logger, gatherer, registerer or poll")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	pages, err := page.New(page.Options{MetricsPath: o.MetricsPath, Version: o.Version, Snapshots: o.Snapshots, Pending: o.Pending, History: o.History, Alerts: o.Alerts})
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
	for _, path := range []string{memberPath, hostsPath, hostPath, assetsPath} {
		mux.Handle("GET "+path, pages)
	}
	mux.Handle("GET "+runbooksPath, orNotFound(o.Runbooks))
	if o.API != nil {
		mux.Handle("/api/", o.API)
		mux.Handle("/sd/", o.API)
	}
	mux.HandleFunc("GET "+healthyPath, healthy)
	mux.Handle("GET "+readyPath, readyHandler(o.Ready))
	reload := newReloadHandler(o.Reload)
	mux.Handle("POST /-/reload", reload)
	mux.Handle("PUT /-/reload", reload)
	return withHeaders(drainBody(withOptions(mux, withNotFound(mux, pages.NotFound)))), nil
}

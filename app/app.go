// Package app runs the server: what `servicegroup_exporter serve` does.
//
// [New] opens everything that the server needs: the collector, the bridge to Alertmanager, the canaries, the sources of
// the configuration, and the listening addresses. [App.Run] then runs the parts, each in a goroutine, until its context
// ends or a part fails. Everything that is opened or started registers how to stop it at once, so that a failed start and
// a normal end close the same things, newest first (lifecycle.go).
//
// The package reads neither flags nor signals: settings come in [Options], the end as a context, and requests to reload
// the configuration through a channel.
package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/alerts/runbooks"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/internal/storagelock"
	"servicegroup_exporter/probe/canary"
	"servicegroup_exporter/sources"
	"servicegroup_exporter/web"
	"servicegroup_exporter/web/api"
)

// programName is the name of the program in its version metric.
const programName = "servicegroup_exporter"

// Options are what an [App] needs from the command line and the process around it.
type Options struct {
	// Logger receives all log messages. Required.
	Logger *slog.Logger
	// Registerer takes the metrics of all parts, and Gatherer returns them to scrapes. Both are required.
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer

	// ConfigFile is the configuration file. If it is empty, an embedded store in StoragePath is the only source.
	ConfigFile string
	// ConfigBasePath is the folder at which relative paths in the configuration file begin; empty: the file's own folder.
	ConfigBasePath string
	// StoragePath is the folder of the embedded store and of the state files. It is created if it is missing. Required.
	StoragePath string

	// Listen has the addresses to listen on, and the web configuration file for TLS and authentication. Required.
	Listen *toolkit.FlagConfig
	// Web has the settings of the HTTP endpoints.
	Web web.Settings
	// EnableLifecycle lets POST /-/reload reload the configuration.
	EnableLifecycle bool
	// DisableExporterMetrics leaves out the metrics of this process: go_*, process_* and promhttp_*.
	DisableExporterMetrics bool
	// CompatOpenStackExporter adds the series that openstack-exporter has for the same members.
	CompatOpenStackExporter bool

	// Reload receives when the configuration is to be reloaded, for example after SIGHUP. Nil: never.
	Reload <-chan struct{}
	// WatchInterval is how often the configuration is read, to reload it when it has changed. Zero: never.
	WatchInterval time.Duration
}

// An App is one server.
type App struct {
	opts      Options
	logger    *slog.Logger
	collector *collector.Collector
	bridge    *bridge.Bridge
	canaries  *canary.Canaries
	history   *api.History
	handler   http.Handler
	web       *web.Server
	systemd   systemd

	// sources are the sources of the configuration in use, with the Nova cells that they expand to; nil before the first.
	sources       atomic.Pointer[sources.Set]
	alerting      string // the fingerprint of the alerting section in use
	read          string // what was read last, as configState returns it
	reloadMetrics reloadMetrics
	reloads       chan chan error    // each value asks the reload loop for a reload, and receives its result
	pings         chan chan struct{} // each value asks the reload loop for a sign of life, which is to close it

	stops    *stops
	stopping chan struct{} // closed when Stop begins
	failed   chan error    // receives the errors of parts that ended by themselves
}

// New opens everything that the server needs, and applies the configuration. The context bounds the search for Nova's
// cells. If New fails, everything that it opened is closed. Otherwise the caller has to call [App.Run] or [App.Stop].
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{
		opts: o, logger: o.Logger, systemd: newSystemd(o.Logger),
		reloads: make(chan chan error), pings: make(chan chan struct{}),
		stops: newStops(o.Logger), stopping: make(chan struct{}), failed: make(chan error, maxParts),
	}
	o.Logger.Info("Starting", "version", version.Version, "revision", version.GetRevision(),
		"config_file", cmp.Or(o.ConfigFile, "none, the embedded store is the only source"), "storage_path", absolute(o.StoragePath))
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return a, nil
}

// absolute returns a path as it is found from any folder, as far as this is known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (a *App) open(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		a.openMetrics, a.lockStorage, a.openCollector, a.openBridge, a.openCanaries, a.applyConfig, a.openHandler, a.listen,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openMetrics registers the metrics about the process and its configuration.
func (a *App) openMetrics(context.Context) error {
	a.reloadMetrics = newReloadMetrics()
	all := []prometheus.Collector{
		versioncollector.NewCollector(programName), a.reloadMetrics.success, a.reloadMetrics.successTime,
	}
	if !a.opts.DisableExporterMetrics {
		all = append(all, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	for _, c := range all {
		if err := a.opts.Registerer.Register(c); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}

// lockStorage makes the storage folder and locks it, so that no other server writes its state there. Where no lock can be had,
// the server runs without one: a folder that can't be written is no reason to watch nothing.
func (a *App) lockStorage(context.Context) error {
	if err := os.MkdirAll(a.opts.StoragePath, 0o750); err != nil {
		return fmt.Errorf("creating the storage folder: %w", err)
	}
	lock, err := storagelock.Take(a.opts.StoragePath)
	if taken, ok := errors.AsType[*storagelock.TakenError](err); ok {
		return taken
	}
	if err != nil {
		a.logger.Warn("The storage path can't be locked; make sure that no other instance uses it", "path", a.opts.StoragePath, "err", err)
		return nil
	}
	a.stops.push("lock of the storage path", lock.Release)
	return nil
}

func (a *App) openCollector(context.Context) error {
	c, err := collector.New(collector.Options{
		Logger:                  a.logger,
		Registerer:              a.opts.Registerer,
		StoragePath:             a.opts.StoragePath,
		CompatOpenStackExporter: a.opts.CompatOpenStackExporter,
	})
	if err != nil {
		return err
	}
	a.stops.push("collector", c.Close)
	if err := a.opts.Registerer.Register(c); err != nil {
		return fmt.Errorf("registering the collector: %w", err)
	}
	a.collector, a.history = c, api.NewHistory(c)
	return nil
}

func (a *App) openBridge(context.Context) (err error) {
	a.bridge, err = bridge.New(bridge.Options{
		Logger:      a.logger,
		Registerer:  a.opts.Registerer,
		Collector:   a.collector,
		StoragePath: a.opts.StoragePath,
		Pending:     a.mayHave,
	})
	if err != nil {
		return fmt.Errorf("opening the bridge to Alertmanager: %w", err)
	}
	a.stops.push("bridge's connections", func() error {
		a.bridge.Use(&bridge.Setup{}) // This closes a setup that never ran.
		return nil
	})
	return nil
}

func (a *App) openCanaries(context.Context) (err error) {
	a.canaries, err = canary.New(canary.Options{
		Logger: a.logger, Registerer: a.opts.Registerer, Member: canaryName(a.opts.StoragePath),
	})
	if err != nil {
		return fmt.Errorf("opening the canaries: %w", err)
	}
	return nil
}

// canaryName returns the name of this server's canaries. It is the same after a restart, and different for every server,
// because no two servers on a host share a storage path.
func canaryName(storagePath string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	sum := sha256.Sum256([]byte(absolute(storagePath)))
	return host + "-" + hex.EncodeToString(sum[:4])
}

// openHandler makes the handler of all HTTP endpoints.
func (a *App) openHandler(context.Context) (err error) {
	logger := a.logger.With("component", "web")
	options := web.Options{
		Settings:   a.opts.Web,
		Logger:     logger,
		Gatherer:   a.opts.Gatherer,
		Registerer: a.opts.Registerer,
		Families:   a.collector.Families,
		Poll:       a.poll,
		Ready:      a.ready,
		API:        api.New(api.Options{Logger: logger, Collector: a.collector, History: a.history, Alerts: a.bridge}),
		Runbooks:   web.NewRunbooks(runbooks.Pages(), alerts.BaseName),
		Version:    version.Version,
		Snapshots:  a.collector.Snapshots,
		Pending:    a.mayHave,
		History:    a.history,
		Alerts:     a.bridge,
	}
	if a.opts.DisableExporterMetrics {
		options.Registerer = prometheus.NewRegistry() // No scrape gathers it.
	}
	if a.opts.EnableLifecycle {
		options.Reload = a.requestReload
	}
	if a.handler, err = web.New(options); err != nil {
		return fmt.Errorf("making the HTTP endpoints: %w", err)
	}
	return nil
}

func (a *App) listen(ctx context.Context) (err error) {
	if a.web, err = web.Listen(ctx, a.opts.Listen, a.logger); err != nil {
		return err
	}
	a.stops.push("listeners", a.web.Close)
	return nil
}

// Addr returns the first address that the server listens on, with the port that was chosen where port 0 was asked for.
func (a *App) Addr() net.Addr { return a.web.Addrs()[0] }

// Collector returns the collector of the server, so that other parts of the program can subscribe to its events.
func (a *App) Collector() *collector.Collector { return a.collector }

// poll brings the metrics up to date before a scrape is answered. The canaries' observers poll at the same time, but the
// scrape does not wait for them.
func (a *App) poll(ctx context.Context) web.View {
	a.canaries.Trigger()
	return a.collector.Poll(ctx)
}

// mayHave reports whether a source that is not known yet may still be found, because the list of Nova cells was not read.
func (a *App) mayHave(source string) bool {
	x := a.sources.Load()
	return x != nil && x.MayHave(source)
}

// ready reports whether every source has been polled, successfully or not.
func (a *App) ready() bool {
	return !slices.ContainsFunc(a.collector.Snapshots(), func(s collector.Snapshot) bool { return s.LastAttempt.IsZero() })
}

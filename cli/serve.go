package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/alerts/runbooks"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/probe/canary"
	"servicegroup_exporter/web"
	"servicegroup_exporter/web/api"
)

const serveName = "serve"

// serveFlags are those of commands that serve metrics.
type serveFlags struct {
	toolkit       *toolkit.FlagConfig
	lifecycle     bool
	noSelfMetrics bool
	compat        bool        // with the series of openstack-exporter
	web           web.Options // the settings that are flags
}

func addServeFlags(c *kingpin.CmdClause) *serveFlags {
	f := &serveFlags{toolkit: kingpinflag.AddFlags(c, ":10199"), web: web.DefaultOptions()}
	c.Flag("web.telemetry-path", "Path of the metrics.").Default(f.web.MetricsPath).StringVar(&f.web.MetricsPath)
	c.Flag("web.enable-lifecycle", "Reload the configuration on POST /-/reload.").BoolVar(&f.lifecycle)
	c.Flag("web.max-requests", "Scrapes that may be under way at once; 0: any number.").
		Default("40").IntVar(&f.web.MaxRequests)
	c.Flag("web.disable-exporter-metrics", "Leave out metrics about this process (go_*, process_*, promhttp_*).").
		BoolVar(&f.noSelfMetrics)
	c.Flag("compat.openstack-exporter", "Also serve openstack_{nova,cinder,neutron}_agent_state, as openstack-exporter does.").
		BoolVar(&f.compat)
	c.Flag("scrape.timeout-offset", "Time kept of Prometheus' scrape timeout for writing the answer.").
		Default(f.web.TimeoutOffset.String()).DurationVar(&f.web.TimeoutOffset)
	return f
}

func (a *app) serveCommand() command {
	c := a.kingpin.Command(serveName, "Serves metrics. This is what happens without a command.").Default()
	flags := addServeFlags(c)
	check := c.Flag("config.check", "Check the configuration files and exit.").Bool()
	return func() error {
		if *check {
			return a.checkConfig(*flags.toolkit.WebConfigFile)
		}
		ctx, cancel := a.untilStopped()
		defer cancel()
		return a.serve(ctx, flags, nil)
	}
}

// checkConfig says whether the configuration files are good, without asking any backend.
func (a *app) checkConfig(webConfigFile string) error {
	if err := toolkit.Validate(webConfigFile); err != nil {
		return fmt.Errorf("reading the web configuration file %s: %w", webConfigFile, err)
	}
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	for _, s := range collectorSources(cfg.Expand(nil, a.logger).Sources(), a.logger) {
		driver, err := s.Open()
		if err != nil {
			return fmt.Errorf("source %s: %w", s.Name, err)
		}
		driver.Close()
	}
	if err := a.checkAlerting(&cfg.Alerting); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "configuration is good; sources: %d\n", len(cfg.Sources))
	return nil
}

// checkAlerting says whether Alertmanagers could be spoken to, as far as files that the section names decide that.
func (a *app) checkAlerting(cfg *alerts.Config) error {
	b, err := bridge.New(bridge.Options{Logger: a.logger, Registerer: prometheus.NewRegistry()})
	if err != nil {
		return err
	}
	setup, err := b.Prepare(cfg)
	if err != nil {
		return err
	}
	setup.Close()
	return nil
}

// server is the serving process.
type server struct {
	*app
	collector *collector.Collector
	bridge    *bridge.Bridge
	canaries  *canary.Canaries
	expansion atomic.Pointer[config.Expansion] // of the configuration in use; nil before the first
	alerting  string                           // the fingerprint of that part of it
	reloads   chan chan error                  // each asks for a reload and gets its result
	pings     chan chan struct{}               // each asks whether the loop comes round, and is closed when it does
	systemd   systemd
	metrics   reloadMetrics
	history   *api.History
}

// serve serves until ctx ends. The function beside, if any, runs along with it, and ends when its context does.
func (a *app) serve(ctx context.Context, flags *serveFlags, beside func(context.Context, *server) error) error {
	registry := prometheus.NewRegistry()
	s, err := a.newServer(ctx, registry, flags.compat)
	if err != nil {
		return err
	}
	registerSelf(registry, !flags.noSelfMetrics)
	options := flags.web
	options.Logger, options.Gatherer = a.logger.With("component", "web"), registry
	options.Registerer, options.Families = registry, s.collector.Families
	if flags.noSelfMetrics {
		options.Registerer = prometheus.NewRegistry()
	}
	if options.Runbooks, err = web.NewRunbooks(runbooks.Files()); err != nil {
		return errors.Join(err, s.collector.Close())
	}
	options.Poll, options.Ready, options.Version = s.poll, s.ready, version.Version
	options.API = api.New(api.Options{Logger: options.Logger, Collector: s.collector, History: s.history})
	if flags.lifecycle {
		options.Reload = func() error { return s.requestReload(ctx) }
	}
	handler, err := web.New(options)
	if err != nil {
		return errors.Join(usageError("%w", err), s.collector.Close())
	}
	listeners, err := web.Listen(ctx, flags.toolkit, a.logger)
	if err != nil {
		return errors.Join(err, s.collector.Close())
	}
	return s.run(ctx, listeners, handler, beside)
}

// newServer reads the configuration and applies it for the first time.
func (a *app) newServer(ctx context.Context, registry prometheus.Registerer, compat bool) (*server, error) {
	if err := os.MkdirAll(a.storagePath, 0o750); err != nil {
		return nil, fmt.Errorf("making the storage folder: %w", err)
	}
	c, err := collector.New(collector.Options{
		Logger:      a.logger,
		Registerer:  registry,
		StoragePath: a.storagePath,

		CompatOpenStackExporter: compat,
	})
	if err != nil {
		return nil, err
	}
	registry.MustRegister(c)
	s := &server{
		app: a, collector: c, history: api.NewHistory(c), metrics: newReloadMetrics(registry),
		reloads: make(chan chan error), pings: make(chan chan struct{}), systemd: newSystemd(a.logger),
	}
	s.bridge, err = bridge.New(bridge.Options{
		Logger: a.logger, Registerer: registry, Collector: c, StoragePath: a.storagePath, Pending: s.mayHave,
	})
	if err == nil {
		s.canaries, err = canary.New(canary.Options{Logger: a.logger, Registerer: registry, Member: a.canaryName()})
	}
	if err == nil {
		err = s.applyConfig(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// poll is what a scrape does before it is answered. Canaries are looked at as often, but not waited for.
func (s *server) poll(ctx context.Context) {
	s.canaries.Nudge()
	s.collector.Poll(ctx)
}

// mayHave tells whether a source that is not there may still be found.
func (s *server) mayHave(source string) bool {
	x := s.expansion.Load()
	return x != nil && x.MayHave(source)
}

// registerSelf adds the metrics about the process.
func registerSelf(registry prometheus.Registerer, all bool) {
	registry.MustRegister(versioncollector.NewCollector(name))
	if all {
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
}

// run runs everything until ctx ends or a part fails, then ends the other parts.
func (s *server) run(ctx context.Context, listeners *web.Server, handler http.Handler, beside func(context.Context, *server) error) error {
	parts, ctx := errgroup.WithContext(ctx)
	part := func(what string, f func(context.Context) error) {
		parts.Go(func() error {
			if err := f(ctx); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		})
	}
	// The collector outlives the listeners, so that scrapes under way end with what they came for.
	collecting, stopCollecting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCollecting()
	part("collecting", func(context.Context) error { return s.collector.Run(collecting) })
	part("serving", func(ctx context.Context) error {
		defer stopCollecting()
		return listeners.Serve(ctx, handler)
	})
	part("keeping events", s.history.Run)
	part("posting alerts", s.bridge.Run)
	part("keeping canaries", s.canaries.Run)
	part("reloading", s.reloadLoop)
	part("telling systemd", s.supervised)
	if beside != nil {
		part("running beside the server", func(ctx context.Context) error { return beside(ctx, s) })
	}
	if err := parts.Wait(); err != nil {
		return err
	}
	s.logger.Info("Stopped")
	return nil
}

// ready says which sources have not been polled yet. Whether they can be read is another matter.
func (s *server) ready() error {
	for _, snapshot := range s.collector.Snapshots() {
		if snapshot.LastAttempt.IsZero() {
			return fmt.Errorf("source %s has not been polled yet", snapshot.Source)
		}
	}
	return nil
}

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/app"
	"servicegroup_exporter/config"
	"servicegroup_exporter/sources"
	"servicegroup_exporter/web"
)

const serveName = "serve"

// serveFlags are the flags of commands that serve metrics.
type serveFlags struct {
	toolkit       *toolkit.FlagConfig
	lifecycle     bool
	noSelfMetrics bool
	compat        bool
	watch         bool
	web           web.Settings
}

// watchInterval is how often --config.watch reads the configuration.
const watchInterval = 10 * time.Second

func (f *serveFlags) watchInterval() time.Duration {
	if !f.watch {
		return 0
	}
	return watchInterval
}

func addServeFlags(c *kingpin.CmdClause) *serveFlags {
	f := &serveFlags{toolkit: kingpinflag.AddFlags(c, ":10199"), web: web.DefaultSettings()}
	c.GetFlag("web.listen-address").Help("Address to listen on: HOST:PORT, :PORT, unix:///PATH, or vsock://:PORT. Can be given more than once. " +
		"A Unix socket has the permissions 0660, or the mode in unix:///PATH?mode=0666.")
	c.Flag("web.telemetry-path", "Path under which to expose metrics.").Default(f.web.MetricsPath).StringVar(&f.web.MetricsPath)
	c.Flag("web.enable-lifecycle", "Enable configuration reload by POST /-/reload.").BoolVar(&f.lifecycle)
	c.Flag("web.max-requests", "Maximum number of concurrent scrapes (0: no limit).").
		Default("40").IntVar(&f.web.MaxRequests)
	c.Flag("web.disable-exporter-metrics", "Exclude metrics about the exporter itself (go_*, process_*, promhttp_*).").
		BoolVar(&f.noSelfMetrics)
	c.Flag("compat.openstack-exporter", "Also expose openstack_{nova,cinder,neutron}_{agent_state,up}, as openstack-exporter does.").
		BoolVar(&f.compat)
	c.Flag("config.watch", fmt.Sprintf("Read the configuration every %v, and reload it when it has changed.", watchInterval)).
		BoolVar(&f.watch)
	c.Flag("timeout-offset", "Offset to subtract from the scrape timeout, to leave time to send the response.").
		Default(f.web.TimeoutOffset.String()).DurationVar(&f.web.TimeoutOffset)
	return f
}

func (a *cli) serveCommand() command {
	c := a.kingpin.Command(serveName, "Serve metrics (default command).").Default()
	flags := addServeFlags(c)
	check := c.Flag("config.check", "Check the configuration files and exit.").Bool()
	return func() error {
		if *check {
			return a.checkConfig(*flags.toolkit.WebConfigFile)
		}
		ctx, cancel := a.untilStopped()
		defer cancel()
		server, err := a.newServer(ctx, flags)
		if err != nil {
			return err
		}
		return server.Run(ctx)
	}
}

// newServer opens a server with the settings of the flags.
func (a *cli) newServer(ctx context.Context, flags *serveFlags) (*app.App, error) {
	if err := flags.web.Validate(); err != nil {
		return nil, usageError("%w", err)
	}
	registry := prometheus.NewRegistry()
	return app.New(ctx, app.Options{
		Logger:                  a.logger,
		Registerer:              registry,
		Gatherer:                registry,
		ConfigFile:              a.configFile,
		ConfigBasePath:          a.configBasePath,
		StoragePath:             a.storagePath,
		Listen:                  flags.toolkit,
		Web:                     flags.web,
		EnableLifecycle:         flags.lifecycle,
		DisableExporterMetrics:  flags.noSelfMetrics,
		CompatOpenStackExporter: flags.compat,
		Reload:                  a.reload,
		WatchInterval:           flags.watchInterval(),
	})
}

// checkConfig returns an error if the configuration files are invalid. It connects to no backend.
func (a *cli) checkConfig(webConfigFile string) error {
	if err := toolkit.Validate(webConfigFile); err != nil {
		return fmt.Errorf("reading the web configuration file %s: %w", webConfigFile, err)
	}
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	for _, s := range app.CollectorSources(sources.New(cfg, nil, a.logger).Sources(), a.logger) {
		driver, err := s.Open()
		if err != nil {
			return fmt.Errorf("source %s: %w", s.Name, err)
		}
		driver.Close()
	}
	if err := a.checkAlerting(&cfg.Alerting); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "The configuration is valid (sources: %d).\n", len(cfg.Sources))
	for _, c := range sources.ChangedValues(cfg) {
		fmt.Fprintf(a.Stdout, "Note: %s.\n", &c)
	}
	return nil
}

// checkAlerting returns an error if the Alertmanager clients can't be made, for example because a TLS file can't be read.
func (a *cli) checkAlerting(cfg *config.Alerting) error {
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

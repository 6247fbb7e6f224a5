package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/config"
	"servicegroup_exporter/sources"
)

// reloadMetrics report whether the configuration in use is the one on disk.
type reloadMetrics struct {
	success, successTime prometheus.Gauge
}

func newReloadMetrics() reloadMetrics {
	return reloadMetrics{
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "servicegroup_config_last_reload_successful",
			Help: "Whether the last reload of the configuration succeeded (1) or failed (0). After a failure the previous configuration stays in use.",
		}),
		successTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "servicegroup_config_last_reload_success_timestamp_seconds",
			Help: "Unix time at which the configuration in use was read.",
		}),
	}
}

// LoadConfig reads a configuration file, see [sources.LoadAt]. Without one it returns the configuration of the embedded store.
func LoadConfig(file, basePath, storagePath string) (*config.Config, error) {
	if file == "" {
		return sources.Embedded(storagePath), nil
	}
	return sources.LoadAt(file, basePath)
}

func (a *App) readConfig() (*config.Config, error) {
	return LoadConfig(a.opts.ConfigFile, a.opts.ConfigBasePath, a.opts.StoragePath)
}

// configState returns the same text for two readings of the configuration exactly when a reload has no reason: all settings are
// equal, including those from nova.conf, or the mistakes are.
func configState(cfg *config.Config, err error) string {
	if err != nil {
		return err.Error()
	}
	return config.Fingerprint(cfg)
}

// applyConfig reads the configuration and uses it, or keeps the one before and returns why.
func (a *App) applyConfig(ctx context.Context) error {
	err := a.tryConfig(ctx)
	if err != nil {
		a.reloadMetrics.success.Set(0)
		return err
	}
	a.reloadMetrics.success.Set(1)
	a.reloadMetrics.successTime.SetToCurrentTime()
	return nil
}

// discoverTimeout bounds how long the start and a reload wait for the databases that list Nova's cells.
const discoverTimeout = 5 * time.Second

// tryConfig does everything that can fail before it changes anything that runs.
func (a *App) tryConfig(ctx context.Context) error {
	cfg, err := a.readConfig()
	a.read = configState(cfg, err)
	if err != nil {
		return err
	}
	next := sources.New(cfg, a.sources.Load(), a.logger)
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	if err := next.Discover(ctx); err != nil {
		a.logger.Debug("Some Nova cells are not known yet", "err", err) // The sources' own polls tell operators.
	}
	setup, err := a.bridge.Prepare(&cfg.Alerting)
	if err != nil {
		return err
	}
	if err := a.collector.Apply(CollectorSources(next.Sources(), a.logger)); err != nil {
		setup.Close()
		return err
	}
	if first := a.sources.Load() == nil; first && a.bridge.LostState() {
		a.collector.CountLostState()
	}
	a.sources.Store(next)
	a.logChangedValues(cfg)
	a.canaries.Use(canarySources(cfg.Sources, a.logger))
	if fingerprint := config.Fingerprint(&cfg.Alerting); fingerprint != a.alerting {
		a.alerting = fingerprint
		a.bridge.Use(setup)
	} else {
		setup.Close()
	}
	return nil
}

// logChangedValues logs which configured values are not the ones in effect.
func (a *App) logChangedValues(cfg *config.Config) {
	for _, c := range sources.ChangedValues(cfg) {
		a.logger.Warn("A configured value is changed", "source_name", c.Source, "setting", c.Setting,
			"configured", c.Configured, "in_effect", c.InEffect, "reason", c.Reason)
	}
}

// applyCells uses the Nova cells that exist by now.
func (a *App) applyCells() {
	polled := a.sources.Load().Sources()
	if err := a.collector.Apply(CollectorSources(polled, a.logger)); err != nil {
		a.logger.Error("Updating the sources to the changed Nova cells failed, the old sources stay in use", "err", err)
		return
	}
	a.logger.Info("Nova cells changed, sources updated", "sources", len(polled))
}

// reloadLoop is the only goroutine that changes the configuration of a running server, for signals and for HTTP.
func (a *App) reloadLoop(ctx context.Context) error {
	var watch <-chan time.Time
	if a.opts.WatchInterval > 0 {
		ticker := time.NewTicker(a.opts.WatchInterval)
		defer ticker.Stop()
		watch = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.opts.Reload:
			_ = a.reload(ctx) // The log has the error.
		case <-watch:
			if configState(a.readConfig()) != a.read {
				_ = a.reload(ctx)
			}
		case result := <-a.reloads:
			result <- a.reload(ctx)
		case answer := <-a.pings:
			_ = a.collector.Snapshots()
			close(answer)
		case <-a.sources.Load().Changed():
			a.applyCells()
		}
	}
}

func (a *App) reload(ctx context.Context) error {
	a.systemd.reloading()
	err := a.applyConfig(ctx)
	a.systemd.reloaded(err)
	if err != nil {
		a.logger.Error("Reloading the configuration failed, the old one stays in use", "err", err)
		return err
	}
	a.logger.Info("Reloaded the configuration", "sources", a.sourceNames())
	return nil
}

// sourceNames returns the names of the sources in use, each with its driver.
func (a *App) sourceNames() []string {
	var names []string
	for _, s := range a.sources.Load().Sources() {
		names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Driver))
	}
	return names
}

// requestReload asks the reload loop for a reload and waits for its result.
func (a *App) requestReload() error {
	result := make(chan error, 1)
	select {
	case a.reloads <- result:
		return <-result
	case <-a.stopping:
		return errors.New("the server is stopping")
	}
}

package cli

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/config"
)

// reloadMetrics say whether the configuration in use is the one on disk.
type reloadMetrics struct {
	success, successTime prometheus.Gauge
}

func newReloadMetrics(r prometheus.Registerer) reloadMetrics {
	m := reloadMetrics{
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "servicegroup_config_last_reload_successful",
			Help: "1 if the newest configuration is in use, 0 if it was refused and the one before goes on.",
		}),
		successTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "servicegroup_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration in use was read.",
		}),
	}
	r.MustRegister(m.success, m.successTime)
	return m
}

// applyConfig reads the configuration and uses it, or keeps the one before and says why.
func (s *server) applyConfig(ctx context.Context) error {
	err := s.tryConfig(ctx)
	if err != nil {
		s.metrics.success.Set(0)
		return err
	}
	s.metrics.success.Set(1)
	s.metrics.successTime.SetToCurrentTime()
	return nil
}

// discoverTimeout bounds how long the start and a reload wait for databases that say which cells there are.
const discoverTimeout = 5 * time.Second

func (s *server) tryConfig(ctx context.Context) error {
	cfg, err := s.loadConfig()
	if err != nil {
		return err
	}
	next := cfg.Expand(s.expansion.Load(), s.logger)
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	if err := next.Discover(ctx); err != nil {
		s.logger.Debug("Some cells are not known yet", "err", err) // The sources' own polls tell operators.
	}
	setup, err := s.bridge.Prepare(&cfg.Alerting)
	if err != nil {
		return err
	}
	if err := s.collector.Apply(collectorSources(next.Sources(), s.logger)); err != nil {
		setup.Close()
		return err
	}
	s.expansion.Store(next)
	s.canaries.Use(s.canarySources(cfg.Sources))
	if fingerprint := config.Fingerprint(&cfg.Alerting); fingerprint != s.alerting {
		s.alerting = fingerprint
		s.bridge.Use(setup)
	} else {
		setup.Close()
	}
	return nil
}

// applyCells uses the cells that there are by now.
func (s *server) applyCells() {
	sources := s.expansion.Load().Sources()
	if err := s.collector.Apply(collectorSources(sources, s.logger)); err != nil {
		s.logger.Error("Following the cells failed, the old ones stay in use", "err", err)
		return
	}
	s.logger.Info("Follows the cells that there are now", "sources", len(sources))
}

// reloadLoop is the one place that changes the configuration of a running server, for signals and for HTTP.
func (s *server) reloadLoop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.reload:
			_ = s.reloadNow(ctx) // It has logged what went wrong.
		case result := <-s.reloads:
			result <- s.reloadNow(ctx)
		case answer := <-s.pings:
			_ = s.collector.Snapshots()
			close(answer)
		case <-s.expansion.Load().Changed():
			s.applyCells()
		}
	}
}

func (s *server) reloadNow(ctx context.Context) error {
	s.systemd.reloading()
	err := s.applyConfig(ctx)
	s.systemd.reloaded(err)
	if err != nil {
		s.logger.Error("Reloading the configuration failed, the old one stays in use", "err", err)
		return err
	}
	s.logger.Info("Reloaded the configuration")
	return nil
}

// requestReload asks the loop for a reload and waits for its result.
func (s *server) requestReload(ctx context.Context) error {
	result := make(chan error, 1)
	select {
	case s.reloads <- result:
		return <-result
	case <-ctx.Done():
		return errors.New("the server is stopping")
	}
}

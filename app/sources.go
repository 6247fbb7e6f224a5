package app

import (
	"log/slog"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
	"servicegroup_exporter/probe/canary"
)

// CollectorSources translates configured sources for the collector.
func CollectorSources(sources []config.Source, logger *slog.Logger) []collector.SourceConfig {
	configs := make([]collector.SourceConfig, 0, len(sources))
	for _, s := range sources {
		c := collector.SourceConfig{
			Name:         s.Name,
			Open:         func() (drivers.Driver, error) { return s.Open(logger.With("source_name", s.Name)) },
			Fingerprint:  s.Fingerprint(),
			PollInterval: time.Duration(s.PollInterval),
			PollTimeout:  time.Duration(s.PollTimeout),
			ForgetAfter:  time.Duration(s.ForgetAfter),
			UpOnly:       s.Expose == config.ExposeUp,
			Driver:       s.Driver,
			Service:      s.Service(),
		}
		switch {
		case s.DB != nil:
			c.Schema = s.DB.Schema
		case s.ZK != nil:
			c.Layout = s.ZK.Layout
		case s.MC != nil:
			c.Layout = s.MC.Keys
		}
		configs = append(configs, c)
	}
	return configs
}

// ProbeSource translates a configured source for simulated members.
func ProbeSource(s *config.Source, logger *slog.Logger) probe.Source {
	logger = logger.With("source_name", s.Name, "simulated", true)
	return probe.Source{
		Name: s.Name, Driver: s.Driver,
		PollInterval: time.Duration(s.PollInterval), PollTimeout: time.Duration(s.PollTimeout),
		Open: func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
			return s.OpenPrivate(group, names, dial, logger)
		},
	}
}

// canarySources returns the sources that have a canary.
func canarySources(sources []config.Source, logger *slog.Logger) []canary.Source {
	var with []canary.Source
	for i := range sources {
		s := &sources[i]
		if s.Canary == nil {
			continue
		}
		with = append(with, canary.Source{
			Source:   ProbeSource(s, logger),
			Interval: time.Duration(s.Canary.Interval), Group: s.Canary.Group, Fingerprint: s.Fingerprint(),
		})
	}
	return with
}

package app

import (
	"log/slog"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
	"servicegroup_exporter/probe/canary"
	"servicegroup_exporter/sources"
)

// CollectorSources translates sources for the collector.
func CollectorSources(polled []sources.Source, logger *slog.Logger) []collector.SourceConfig {
	configs := make([]collector.SourceConfig, 0, len(polled))
	for _, s := range polled {
		configs = append(configs, collector.SourceConfig{
			Name:           s.Name,
			Open:           func() (drivers.Driver, error) { return s.Open(logger.With("source_name", s.Name)) },
			Fingerprint:    s.Fingerprint,
			PollInterval:   time.Duration(s.Declared.PollInterval),
			PollTimeout:    time.Duration(s.Declared.PollTimeout),
			ForgetAfter:    time.Duration(s.Declared.ForgetAfter),
			Suspicion:      tracker.Suspicion{Enabled: s.Declared.Suspicion.Enabled, Margin: time.Duration(s.Declared.Suspicion.Margin)},
			ExpectedGroups: s.ExpectedGroups,
			LabelLimit:     s.LabelLimit,
			Naming:         s.Naming(),
			UpOnly:         s.Declared.MemberMetrics == config.MemberMetricsMinimal,
			Driver:         s.Driver,
			Schema:         s.Schema,
			Layout:         s.Layout,
			Service:        s.Service,
			Nova:           s.Nova,
		})
	}
	return configs
}

// ProbeSource translates a declared source for simulated members.
func ProbeSource(s *config.Source, logger *slog.Logger) probe.Source {
	logger = logger.With("source_name", s.Name, "simulated", true)
	return probe.Source{
		Name: s.Name, Driver: s.Driver,
		PollInterval: time.Duration(s.PollInterval), PollTimeout: time.Duration(s.PollTimeout),
		Open: func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
			return sources.OpenPrivate(s, group, names, dial, logger)
		},
	}
}

// canarySources returns the declared sources that have a canary.
func canarySources(declared []config.Source, logger *slog.Logger) []canary.Source {
	var with []canary.Source
	for i := range declared {
		s := &declared[i]
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

package cli

import (
	"log/slog"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// loadConfig reads the configuration file, or makes the configuration of the embedded store.
func (a *app) loadConfig() (*config.Config, error) {
	if a.configFile == "" {
		return config.Embedded(a.storagePath), nil
	}
	return config.Load(a.configFile)
}

// sourceFlags are those of commands that read or write one or more sources.
type sourceFlags struct {
	source  string
	timeout time.Duration
}

func addSourceFlags(c *kingpin.CmdClause) *sourceFlags {
	f := new(sourceFlags)
	c.Flag("source", "Name of the source, where the configuration has several.").StringVar(&f.source)
	c.Flag("timeout", "How long to wait for a source's answer.").Default("10s").DurationVar(&f.timeout)
	return f
}

// collectorSources translates the configuration for the collector.
func collectorSources(sources []config.Source, logger *slog.Logger) []collector.SourceConfig {
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

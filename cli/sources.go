package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
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

// selected returns the configured sources, or the one that --source names.
func (a *app) selected(f *sourceFlags) ([]config.Source, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	if f.source == "" {
		return cfg.Sources, nil
	}
	var names []string
	for _, s := range cfg.Sources {
		if s.Name == f.source {
			return []config.Source{s}, nil
		}
		names = append(names, s.Name)
	}
	return nil, usageError("no source %q in the configuration: it has %s", f.source, strings.Join(names, ", "))
}

// one returns the only source, or the one that --source names.
func (a *app) one(f *sourceFlags) (*config.Source, error) {
	sources, err := a.selected(f)
	if err != nil {
		return nil, err
	}
	if len(sources) > 1 {
		var names []string
		for _, s := range sources {
			names = append(names, s.Name)
		}
		return nil, usageError("the configuration has several sources: name one with --source (%s)", strings.Join(names, ", "))
	}
	return &sources[0], nil
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
		}
		switch {
		case s.DB != nil:
			c.Schema = s.DB.Schema
		case s.ZK != nil:
			c.Layout = s.ZK.Layout
		}
		configs = append(configs, c)
	}
	return configs
}

// withCollector runs do with a collector of the given sources beside whatever server uses the same storage path: it
// reads that server's memory and does not write it.
func (a *app) withCollector(ctx context.Context, sources []config.Source, do func(context.Context, *collector.Collector) error) error {
	c, err := collector.New(collector.Options{Logger: a.logger, StoragePath: a.storagePath, ReadOnly: true})
	if err != nil {
		return err
	}
	if err := c.Apply(collectorSources(sources, a.logger)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	var runErr error
	running.Go(func() { runErr = c.Run(ctx) })
	err = do(ctx, c)
	cancel()
	running.Wait()
	if err != nil {
		return err
	}
	return runErr
}

// read polls the selected sources once.
func (a *app) read(f *sourceFlags, sources []config.Source) ([]collector.Snapshot, error) {
	ctx, cancel := a.untilStopped()
	defer cancel()
	var snapshots []collector.Snapshot
	err := a.withCollector(ctx, sources, func(ctx context.Context, c *collector.Collector) error {
		ctx, cancel := context.WithTimeout(ctx, f.timeout)
		defer cancel()
		c.Poll(ctx)
		snapshots = c.Snapshots()
		return nil
	})
	return snapshots, err
}

// readOne polls the only source, or the one that --source names. It fails with exitUnknown when it can't be read.
func (a *app) readOne(f *sourceFlags) (*collector.Snapshot, error) {
	source, err := a.one(f)
	if err != nil {
		return nil, err
	}
	snapshots, err := a.read(f, []config.Source{*source})
	if err != nil {
		return nil, err
	}
	if s := &snapshots[0]; s.Readable {
		return s, nil
	}
	return nil, &exitError{exitUnknown, unreadable(&snapshots[0])}
}

// unreadable says why a source can't be read.
func unreadable(s *collector.Snapshot) error {
	return fmt.Errorf("source %s can't be read (%s): %w", s.Source, s.Reason, s.Err)
}

// joiner opens the source for writing. The caller closes the driver.
func (a *app) joiner(f *sourceFlags) (drivers.Driver, drivers.Joiner, error) {
	source, err := a.one(f)
	if err != nil {
		return nil, nil, err
	}
	driver, err := source.Open(a.logger)
	if err != nil {
		return nil, nil, err
	}
	j, ok := driver.(drivers.Joiner)
	if !ok {
		driver.Close()
		return nil, nil, usageError("source %s is read only: its driver %s can't join", source.Name, source.Driver)
	}
	return driver, j, nil
}

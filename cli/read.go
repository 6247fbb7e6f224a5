package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"servicegroup_exporter/app"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// withCollector runs do with a collector of the selected sources. The collector reads the state files of a server that uses
// the same storage path, and does not change them.
func (a *cli) withCollector(ctx context.Context, selected *selection, do func(context.Context, *collector.Collector) error) error {
	c, err := collector.New(collector.Options{Logger: a.logger, StoragePath: a.storagePath, ReadOnly: true})
	if err != nil {
		return err
	}
	if err := c.Apply(app.CollectorSources(selected.sources(), a.logger)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	var runErr, followErr error
	running.Go(func() { runErr = c.Run(ctx) })
	running.Go(func() { followErr = a.follow(ctx, c, selected) })
	err = do(ctx, c)
	cancel()
	running.Wait()
	if err != nil {
		return err
	}
	return errors.Join(runErr, followErr)
}

// follow updates the sources of the collector whenever Nova's cells change, until ctx ends.
func (a *cli) follow(ctx context.Context, c *collector.Collector, selected *selection) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-selected.set.Changed():
			if err := c.Apply(app.CollectorSources(selected.sources(), a.logger)); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// read polls the selected sources once, within their poll timeouts. It prints warnings about them.
func (a *cli) read(ctx context.Context, selected *selection) ([]collector.Snapshot, error) {
	var snapshots []collector.Snapshot
	err := a.withCollector(ctx, selected, func(ctx context.Context, c *collector.Collector) error {
		a.pollOnce(ctx, c, selected)
		snapshots = c.Snapshots()
		a.warnAbout(snapshots)
		return nil
	})
	return snapshots, err
}

// pollOnce polls the selected sources, and says for which it waits.
func (a *cli) pollOnce(ctx context.Context, c *collector.Collector, selected *selection) {
	defer a.waiting(selected.timeout, "waiting for %s", strings.Join(namesOf(selected.sources(), sourceName), ", "))()
	c.Poll(ctx)
}

// readOne polls the only source of the configuration, or the one that --source names, with all sources that it expands to.
func (a *cli) readOne(f *sourceFlags) ([]collector.Snapshot, error) {
	ctx, cancel := a.untilStopped()
	defer cancel()
	selected, err := a.selected(ctx, f, nil)
	if err != nil {
		return nil, err
	}
	if names := namesOf(selected.sources(), declaredName); len(names) > 1 {
		return nil, several(names)
	}
	return a.read(ctx, selected)
}

// firstUnreadable returns the error of a source that can't be read, or nil. While there is one, a member that was not found
// may exist.
func firstUnreadable(snapshots []collector.Snapshot) error {
	for i := range snapshots {
		if s := &snapshots[i]; !s.Readable {
			return &exitError{exitUnknown, unreadable(s)}
		}
	}
	return nil
}

// noMember returns the error of a group or member that does not exist, or of a group that can't be read.
func noMember(snapshots []collector.Snapshot, group, member string) error {
	err := collector.NoMember(snapshots, group, member)
	if errors.Is(err, drivers.ErrUnavailable) {
		return &exitError{exitUnknown, err}
	}
	return err
}

// unreadable returns the error of a source that can't be read.
func unreadable(s *collector.Snapshot) error {
	return fmt.Errorf("source %s can't be read (%s): %w", s.Source, s.Reason, s.Err)
}

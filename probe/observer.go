package probe

import (
	"context"
	"errors"
	"sync"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// An Observer polls simulated members with a collector, as this program polls all other members: at the source's own
// interval, and when the backend's watch or a scrape asks for it. It produces no metric, alert or log line.
type Observer struct {
	collector *collector.Collector
	events    <-chan collector.Event
	trigger   chan struct{}
	timeout   time.Duration

	cancel  context.CancelFunc
	running sync.WaitGroup
	err     error // of the collector's Run
}

// Observe polls once, so that every later change is an event, and polls until Close is called. Up to maxEvents events are
// kept until they are received. Observe takes ownership of the driver, also when it fails.
func Observe(ctx context.Context, s *Source, driver drivers.Driver, maxEvents int) (*Observer, error) {
	c, err := collector.New(collector.Options{})
	if err != nil {
		return nil, errors.Join(err, driver.Close())
	}
	err = c.Apply([]collector.SourceConfig{{
		Name: s.Name, Driver: s.Driver, PollInterval: s.PollInterval, PollTimeout: s.PollTimeout,
		Open: func() (drivers.Driver, error) { return driver, nil },
	}})
	if err != nil {
		return nil, errors.Join(err, driver.Close())
	}
	o := &Observer{collector: c, trigger: make(chan struct{}, 1), timeout: s.PollTimeout}
	o.events, _ = c.Subscribe(maxEvents) // The subscription ends with the collector.
	o.poll(ctx)
	if snapshot := o.Snapshot(); !snapshot.Readable {
		return nil, errors.Join(unreadable(&snapshot), c.Close())
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o.cancel = cancel
	o.running.Go(func() { o.err = c.Run(running) })
	o.running.Go(func() { o.pollWhenTriggered(running) })
	return o, nil
}

// unreadable returns why the source can't be read.
func unreadable(s *collector.Snapshot) error {
	if s.Err != nil {
		return s.Err
	}
	return drivers.Unavailable(drivers.ReasonTimeout, context.DeadlineExceeded)
}

func (o *Observer) pollWhenTriggered(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.trigger:
			o.poll(ctx)
		}
	}
}

func (o *Observer) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	o.collector.Poll(ctx)
}

// Trigger starts a poll now, as a scrape does. It does not wait for the poll.
func (o *Observer) Trigger() {
	select {
	case o.trigger <- struct{}{}:
	default: // A poll is due already.
	}
}

// Events returns the channel of the events that polls find. Close closes it.
func (o *Observer) Events() <-chan collector.Event { return o.events }

// Snapshot returns what the last poll found.
func (o *Observer) Snapshot() collector.Snapshot { return o.collector.Snapshots()[0] }

// Close stops polling and closes the driver.
func (o *Observer) Close() error {
	o.cancel()
	o.running.Wait()
	return o.err
}

package probe

import (
	"context"
	"errors"
	"sync"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// An Observer is this program looking at simulated members as it looks at all others: with the same collector, which
// polls at the source's own interval and when the backend's watch or a scrape says so. Nothing that it sees becomes a
// metric, an alert or a line in the log.
type Observer struct {
	collector *collector.Collector
	events    <-chan collector.Event
	nudges    chan struct{}
	timeout   time.Duration

	cancel  context.CancelFunc
	running sync.WaitGroup
	err     error // of the collector's end
}

// Observe polls once, so that whatever happens from now on is news, and then goes on until Close. The events that nobody
// has taken yet are kept, up to the number given; the observer owns the driver.
func Observe(ctx context.Context, s *Source, driver drivers.Driver, events int) (*Observer, error) {
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
	o := &Observer{collector: c, nudges: make(chan struct{}, 1), timeout: s.PollTimeout}
	o.events, _ = c.Subscribe(events) // It ends with the collector.
	o.poll(ctx)
	if snapshot := o.Snapshot(); !snapshot.Readable {
		return nil, errors.Join(unreadable(&snapshot), c.Close())
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o.cancel = cancel
	o.running.Go(func() { o.err = c.Run(running) })
	o.running.Go(func() { o.follow(running) })
	return o, nil
}

// unreadable is why the source can't be read.
func unreadable(s *collector.Snapshot) error {
	if s.Err != nil {
		return s.Err
	}
	return drivers.Unavailable(drivers.ReasonTimeout, context.DeadlineExceeded)
}

// follow polls when it is nudged.
func (o *Observer) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.nudges:
			o.poll(ctx)
		}
	}
}

func (o *Observer) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	o.collector.Poll(ctx)
}

// Nudge lets the observer poll now, as a scrape lets its source. It does not wait for the poll.
func (o *Observer) Nudge() {
	select {
	case o.nudges <- struct{}{}:
	default: // One is due already.
	}
}

// Events gives what polls bring to light. The channel is closed at the end.
func (o *Observer) Events() <-chan collector.Event { return o.events }

// Snapshot is what is known now.
func (o *Observer) Snapshot() collector.Snapshot { return o.collector.Snapshots()[0] }

// Close ends polling and closes the driver.
func (o *Observer) Close() error {
	o.cancel()
	o.running.Wait()
	return o.err
}

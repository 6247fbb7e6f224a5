package canary

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

// A runner runs the canary of one source.
type runner struct {
	source   Source
	member   string
	metrics  *metrics
	logger   *slog.Logger
	replaced bool // by a runner of the same source

	observer atomic.Pointer[probe.Observer] // of the round in progress
	cancel   context.CancelFunc
	done     chan struct{}
}

// startRunner starts a runner that runs until ctx ends or stop is called.
func (c *Canaries) startRunner(ctx context.Context, s Source) *runner {
	r := &runner{
		source: s, member: c.member, metrics: c.metrics, logger: c.logger.With("source", s.Name), done: make(chan struct{}),
	}
	ctx, r.cancel = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		r.run(ctx)
	}()
	return r
}

// stop stops the runner, and waits until its canary is removed.
func (r *runner) stop() {
	r.cancel()
	<-r.done
}

// triggerPoll starts a poll of the round in progress, if there is one.
func (r *runner) triggerPoll() {
	if o := r.observer.Load(); o != nil {
		o.Trigger()
	}
}

// run makes a round at once, and then one per interval.
func (r *runner) run(ctx context.Context) {
	ticker := time.NewTicker(r.source.Interval)
	defer ticker.Stop()
	var failing drivers.LastingError
	for {
		err := r.round(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				r.logger.Warn("Removing the canary failed", "err", err)
			}
			return
		}
		r.metrics.roundEnded(r.source.Name, err)
		switch failed, ended := failing.Update(err); {
		case failed:
			r.logger.Warn("Canary round failed", "err", err)
		case ended:
			r.logger.Info("Canary rounds succeed again")
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

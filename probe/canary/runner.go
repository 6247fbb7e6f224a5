package canary

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"servicegroup_exporter/probe"
)

// A bird is the canary of one source.
type bird struct {
	source   Source
	member   string
	metrics  *metrics
	logger   *slog.Logger
	replaced bool // another takes its place

	observer atomic.Pointer[probe.Observer] // of the round under way
	cancel   context.CancelFunc
	done     chan struct{}
}

// newBird makes a bird that lives until ctx ends or end is called.
func (c *Canaries) newBird(ctx context.Context, s Source) *bird {
	b := &bird{
		source: s, member: c.member, metrics: c.metrics, logger: c.logger.With("source", s.Name), done: make(chan struct{}),
	}
	ctx, b.cancel = context.WithCancel(ctx)
	go func() {
		defer close(b.done)
		b.live(ctx)
	}()
	return b
}

// end ends the bird and waits until nothing is left of it.
func (b *bird) end() {
	b.cancel()
	<-b.done
}

// nudge lets whoever looks at the bird poll.
func (b *bird) nudge() {
	if o := b.observer.Load(); o != nil {
		o.Nudge()
	}
}

// live makes a round at once and then at each interval.
func (b *bird) live(ctx context.Context) {
	ticker := time.NewTicker(b.source.Interval)
	defer ticker.Stop()
	for {
		err := b.round(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				b.logger.Warn("Ending a canary failed", "err", err)
			}
			return
		}
		b.metrics.ended(b.source.Name, err)
		if err != nil {
			b.logger.Warn("A round of the canary failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

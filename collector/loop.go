package collector

import (
	"context"
	"time"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

const (
	// watchSpacing is the shortest time between a poll because of a watch and the next one.
	watchSpacing = 50 * time.Millisecond
	// retryLost is how soon a source with a watch is polled again when it can't be read: its watch may report nothing then.
	retryLost = time.Second
	// limitSpacing is the shortest time between a poll and the next one because the limit of a late member ends, or because one is late.
	limitSpacing = time.Second
	// limitExtra is how long after such an instant the source is polled: a member is suspected after its limit, not at its end.
	limitExtra = 10 * time.Millisecond
)

// loop polls the source without scrapes: once at the start, by its timer, and when its watch reports a change.
func (s *source) loop(ctx context.Context) {
	var changed <-chan struct{}
	watcher, watched := s.driver.(drivers.Watcher)
	if watched {
		changed = watcher.Changed()
	}
	var tick <-chan time.Time
	if s.cfg.PollInterval > 0 {
		ticker := time.NewTicker(s.cfg.PollInterval)
		defer ticker.Stop()
		tick = ticker.C
	}
	s.timed(ctx, s.pollUnnoted)
	for {
		again, stop := s.again(watched)
		select {
		case <-ctx.Done():
		case <-s.ended:
		case <-s.wake:
		case <-tick:
			s.timed(ctx, s.poll)
		case <-again:
			s.timed(ctx, s.pollUnnoted)
		case <-changed:
			s.timed(ctx, s.pollAgain)
			s.pause(ctx)
		}
		stop()
		if ctx.Err() != nil || s.hasEnded() {
			return
		}
	}
}

// timed polls with the deadline of polls without a scrape.
func (s *source) timed(ctx context.Context, poll func(context.Context) *rendered) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.PollTimeout)
	defer cancel()
	poll(ctx)
}

// again returns a timer for the next poll that neither a timer nor a watch makes: because the limit of a late member ends, because a member
// on a host that is awaited is late, and, of a watched source, because the source can't be read or the grace of a member ends. Sources without a
// watch have their timer for that, or are polled by scrapes only.
func (s *source) again(watched bool) (<-chan time.Time, func()) {
	s.mu.Lock()
	after := time.Duration(0)
	if watched {
		after = s.recheck
		if s.lost {
			after = retryLost
		}
	}
	for _, ends := range []tracker.Instant{s.pollAt, s.nextLate()} {
		if s.lost || ends.IsZero() {
			continue
		}
		now := s.env.clock()
		// A limit ends between two instants of the clock, so the poll comes a moment later.
		limitEnds := max(ends.Sub(now)+limitExtra, s.read.Sub(now)+limitSpacing, 1)
		if after <= 0 || limitEnds < after {
			after = limitEnds
		}
	}
	s.mu.Unlock()
	if after <= 0 {
		return nil, func() {}
	}
	timer := time.NewTimer(after)
	return timer.C, func() { timer.Stop() }
}

// pause waits so that a watch that reports changes faster than the backend answers causes fewer polls.
func (s *source) pause(ctx context.Context) {
	s.mu.Lock()
	spacing := max(watchSpacing, s.now.PollDuration)
	s.mu.Unlock()
	timer := time.NewTimer(spacing)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.ended:
	}
}

func (s *source) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

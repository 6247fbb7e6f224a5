package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// waitExtra is how much longer than its own context a waiter waits for a poll. A driver that honours its context returns a
// better reason for having no answer than "timeout".
const waitExtra = 20 * time.Millisecond

// minPollTimeout is the shortest deadline of a poll. The first waiter may give up sooner, but others share the poll and
// would share its failure.
const minPollTimeout = time.Second

var (
	errNoPoll   = errors.New("the driver returned neither a poll nor an error")
	errNoAnswer = errors.New("no answer")
)

// An inflight is a poll in flight. All who ask for a poll while it is in flight share it.
type inflight struct {
	start   tracker.Instant
	timeout time.Duration // its deadline, counted from start
	cancel  context.CancelFunc
	done    chan struct{} // closed when the poll has finished, or its source has ended
	givenUp bool          // a waiter stopped waiting and counted the poll as failed
}

// poll polls the source, or shares the poll in flight. It returns when the poll has finished or ctx has ended. If ctx ended
// at its deadline, the source is unknown until the answer comes.
func (s *source) poll(ctx context.Context) {
	if p, _ := s.join(ctx); p != nil {
		s.wait(ctx, p)
	}
}

// pollAgain is like poll, but if a poll was in flight already it polls once more after it: the backend may have been read
// before the change that a watch has reported.
func (s *source) pollAgain(ctx context.Context) {
	p, started := s.join(ctx)
	if p == nil {
		return
	}
	s.wait(ctx, p)
	if !started && ctx.Err() == nil {
		s.poll(ctx)
	}
}

// join returns the poll in flight, or starts one. The poll has the deadline of the first waiter, but continues when that waiter
// goes away. It returns nil when the source has ended.
func (s *source) join(ctx context.Context) (p *inflight, started bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	if s.inflight != nil {
		return s.inflight, false
	}
	timeout := s.cfg.PollTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(deadline), minPollTimeout)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	p = &inflight{start: s.env.clock(), timeout: timeout, cancel: cancel, done: make(chan struct{})}
	s.inflight = p
	s.polls.Go(func() {
		defer cancel()
		poll, err := s.driver.Members(ctx)
		if err == nil && poll == nil {
			err = errNoPoll
		}
		s.finish(p, s.driverCounts(), poll, err)
	})
	return p, true
}

// driverCounts asks the driver for its counters. It is called right after a poll, and without the lock: a driver that hangs may
// hang here too.
func (s *source) driverCounts() drivers.Counts {
	if counter, ok := s.driver.(drivers.Counter); ok {
		return counter.Counts()
	}
	return drivers.Counts{}
}

// finish takes in the result of a poll, unless the source has ended meanwhile.
func (s *source) finish(p *inflight, counts drivers.Counts, poll *drivers.Poll, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.inflight, s.counts = nil, counts
	defer close(p.done)
	end := s.env.clock()
	switch {
	case err == nil:
		if end.Sub(p.start) > p.timeout {
			// The answer was late, so there was a time in which the source could not be read.
			s.tracker.ObserveFailure()
		}
		s.succeed(poll, p.start, end)
	case p.givenUp:
		s.tracker.ObserveFailure()
		s.now.Err, s.now.Reason = shortError{err}, drivers.ReasonOf(err)
	default:
		s.tracker.ObserveFailure()
		s.fail(p.start, err)
	}
}

// wait waits until a poll has finished or ctx has ended.
func (s *source) wait(ctx context.Context, p *inflight) {
	select {
	case <-p.done:
		return
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return // The waiter went away; it does not need an answer.
	}
	timer := time.NewTimer(waitExtra)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		s.giveUp(p)
	}
}

// giveUp makes a source unknown that has not answered in the time that a waiter had. That alone is not an outage: the poll
// continues, and may still answer within its own deadline.
func (s *source) giveUp(p *inflight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight != p {
		return
	}
	p.givenUp = true
	waited := s.env.clock().Sub(p.start).Round(time.Millisecond)
	s.fail(p.start, drivers.Unavailable(drivers.ReasonTimeout, fmt.Errorf("%w within %s", errNoAnswer, waited)))
}

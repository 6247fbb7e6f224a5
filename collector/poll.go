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

// minPollTimeout is the shortest deadline of a poll. A waiter may have less time, but a poll that is ended breaks a connection.
const minPollTimeout = time.Second

var (
	errNoPoll   = errors.New("the driver returned neither a poll nor an error")
	errNoAnswer = errors.New("no answer")
)

// An inflight is a poll in flight. All who ask for a poll while it is in flight share it.
type inflight struct {
	ctx     *pollContext
	began   time.Time
	longest time.Duration // the most time that it can get, counted from began
	done    chan struct{} // closed when the poll has finished, or its source has ended

	start  tracker.Instant // when the driver was last asked
	failed bool            // it did not finish by its deadline, and was counted as failed
	late   *rendered       // what waiters get whose time ends before the poll's, while nothing recent is known; nil: none needed it
}

// poll polls the source, or shares the poll in flight. It returns when the poll has finished or ctx has ended. It returns nil, or
// what this waiter gets in place of what is known: see leave.
func (s *source) poll(ctx context.Context) *rendered {
	s.note(ctx)
	return s.pollUnnoted(ctx)
}

// pollUnnoted is like poll, but its deadline does not count for later polls.
func (s *source) pollUnnoted(ctx context.Context) *rendered {
	p, _ := s.join(ctx)
	if p == nil {
		return nil
	}
	tooLate := errors.Is(p.ctx.Err(), context.DeadlineExceeded) // The poll has ended for the driver, which has not returned yet.
	late := s.wait(ctx, p)
	if tooLate && ctx.Err() == nil {
		return s.pollUnnoted(ctx)
	}
	return late
}

// pollAgain is like poll, but if a poll was in flight already it polls once more after it: the backend may have been read
// before the change that a watch has reported.
func (s *source) pollAgain(ctx context.Context) *rendered {
	p, started := s.join(ctx)
	if p == nil {
		return nil
	}
	s.wait(ctx, p)
	if !started && ctx.Err() == nil {
		return s.pollUnnoted(ctx)
	}
	return nil
}

// join returns the poll in flight, or starts one. The poll gets the longest deadline of all its waiters and of those that came
// lately, and continues when they go away. It returns nil when the source has ended.
func (s *source) join(ctx context.Context) (p *inflight, started bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	now := time.Now()
	timeout := s.timeout(ctx, now)
	if p = s.inflight; p != nil {
		p.extend(now, timeout)
		return p, false
	}
	timeout = max(timeout, s.patience.longest(now))
	p = &inflight{
		ctx: newPollContext(ctx, now.Add(timeout)), began: now, longest: max(timeout, s.cfg.PollTimeout),
		done: make(chan struct{}), start: s.env.clock(),
	}
	s.inflight = p
	s.polls.Go(func() { s.run(p) })
	s.polls.Go(func() { s.wait(p.ctx, p) }) // It waits longest, and so notices a poll that is overdue when all others have left.
	return p, true
}

// timeout returns how long a poll may take that was asked for with a context.
func (s *source) timeout(ctx context.Context, now time.Time) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(deadline.Sub(now), minPollTimeout)
	}
	return s.cfg.PollTimeout
}

// note takes in how much time a waiter has who will come again.
func (s *source) note(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.patience.note(now, s.timeout(ctx, now))
}

// extend moves the deadline of a poll to that of a new waiter. The poll can't get more time than its longest waiter would have
// had alone, or than [SourceConfig.PollTimeout] if that is longer. Without this limit, new waiters would keep a hung poll from
// ending. The caller holds the source's lock.
func (p *inflight) extend(now time.Time, timeout time.Duration) {
	p.longest = max(p.longest, timeout)
	deadline, limit := now.Add(timeout), p.began.Add(p.longest)
	if limit.Before(deadline) {
		deadline = limit
	}
	p.ctx.extend(deadline)
}

// run asks the driver, and takes in the result.
func (s *source) run(p *inflight) {
	defer p.ctx.cancel()
	for {
		given, _ := p.ctx.Deadline()
		timeout := time.Until(given)
		poll, err := s.driver.Members(p.ctx)
		if err == nil && poll == nil {
			err = errNoPoll
		}
		if err == nil || !s.askAgain(p, given, timeout, err) {
			s.finish(p, s.driverCounts(), poll, err)
			return
		}
	}
}

// askAgain reports whether to ask the driver once more: its request timed out near the deadline that it was given, but the poll
// got more time since. A driver may have set the earlier deadline as a limit of the request, as db and mc do.
func (s *source) askAgain(p *inflight, given time.Time, timeout time.Duration, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	deadline, _ := p.ctx.Deadline()
	if drivers.ReasonOf(err) != drivers.ReasonTimeout || !deadline.After(given) || p.ctx.Err() != nil ||
		time.Until(given) > timeout/4 {
		return false
	}
	p.start = s.env.clock()
	return true
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
		if deadline, _ := p.ctx.Deadline(); time.Now().After(deadline) {
			// The answer was late, so there was a time in which the source could not be read.
			s.tracker.ObserveFailure()
		}
		s.succeed(poll, p.start, end)
	case p.failed:
		s.tracker.ObserveFailure()
		s.now.Err, s.now.Reason = shortError{err}, drivers.ReasonOf(err)
	default:
		s.tracker.ObserveFailure()
		s.fail(p.start, err)
	}
}

// wait waits until a poll has finished or ctx has ended. It returns what leave returns.
func (s *source) wait(ctx context.Context, p *inflight) *rendered {
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil // The waiter went away; it does not need an answer.
	}
	timer := time.NewTimer(waitExtra)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	if p.ctx.Err() == nil {
		return s.leave(p)
	}
	s.overdue(p)
	return nil
}

// overdue makes a source unknown whose poll has not finished by its deadline. The poll may still finish.
func (s *source) overdue(p *inflight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight == p && !p.failed {
		p.failed = true
		s.fail(p.start, s.noAnswer(p))
	}
}

// leave is called for a waiter whose time has ended before the poll's. The waiter gets what is known if that is not older than
// [SourceConfig.PollTimeout]: leave returns nil. If it is older, leave returns a rendering in which the source is unknown, for this
// waiter alone. Neither is a failure of the source: no error is counted, nothing is logged, all others see what is known, and those
// who still wait get the result of the poll.
func (s *source) leave(p *inflight) *rendered {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight != p || !s.now.Readable || time.Since(s.now.LastSuccess) <= s.cfg.PollTimeout {
		return nil
	}
	if p.late == nil {
		p.late = s.renderUnknown()
	}
	return p.late
}

// noAnswer returns the error of a poll that has not finished yet.
func (s *source) noAnswer(p *inflight) error {
	waited := time.Since(p.began).Round(time.Millisecond)
	return drivers.Unavailable(drivers.ReasonTimeout, fmt.Errorf("%w within %s", errNoAnswer, waited))
}

package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// grace is how much longer than its own context a waiter waits: a driver that honours its context says better than we
// can why it has no answer.
const grace = 20 * time.Millisecond

// minLimit is what every poll is given at least, however little time there is for whoever came first: he may wait for
// less, but others would have to share the failure.
const minLimit = time.Second

var (
	errNoPoll   = errors.New("the driver gave neither a poll nor an error")
	errNoAnswer = errors.New("no answer")
)

// A flight is a poll under way. Whoever comes while it is under way shares it.
type flight struct {
	start  instant
	limit  time.Duration // its deadline after the start
	cancel context.CancelFunc
	done   chan struct{} // closed when it has landed, or its source has ended
	missed bool          // a waiter gave it up and counted it as failed
}

// poll polls the source, or shares the poll under way, and returns when it has landed or ctx has ended. In the latter
// case the source is unknown until the answer comes after all.
func (s *source) poll(ctx context.Context) {
	if f, _ := s.board(ctx); f != nil {
		s.wait(ctx, f)
	}
}

// pollAnew is like poll, but a poll that was already under way is not good enough: it may have read the backend before
// the change that we were told of.
func (s *source) pollAnew(ctx context.Context) {
	f, mine := s.board(ctx)
	if f == nil {
		return
	}
	s.wait(ctx, f)
	if !mine && ctx.Err() == nil {
		s.poll(ctx)
	}
}

// board gives the flight under way, or starts one, which has the deadline of whoever came first but goes on when he goes
// away. It gives nil when the source has ended.
func (s *source) board(ctx context.Context) (f *flight, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	if s.flight != nil {
		return s.flight, false
	}
	limit := s.cfg.PollTimeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(time.Until(deadline), minLimit)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	f = &flight{start: s.env.clock(), limit: limit, cancel: cancel, done: make(chan struct{})}
	s.flight = f
	s.flights.Go(func() {
		defer cancel()
		poll, err := s.driver.Members(ctx)
		if err == nil && poll == nil {
			err = errNoPoll
		}
		s.land(f, s.driverCounts(), poll, err)
	})
	return f, true
}

// driverCounts asks the driver what it counts. It is called right after a poll and by nobody who holds the lock: a driver
// that hangs may hang here too.
func (s *source) driverCounts() drivers.Counts {
	if counter, ok := s.driver.(drivers.Counter); ok {
		return counter.Counts()
	}
	return drivers.Counts{}
}

// land takes in what a poll gave, unless the source has ended meanwhile.
func (s *source) land(f *flight, counts drivers.Counts, poll *drivers.Poll, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.flight, s.counts = nil, counts
	defer close(f.done)
	seen := s.env.clock()
	switch {
	case err == nil:
		if seen.sub(f.start) > f.limit {
			// It came late, so there was a time in which the source could not be read.
			s.tracker.fail()
		}
		s.succeed(newReading(poll, f.start, seen))
	case f.missed:
		s.tracker.fail()
		s.now.Err, s.now.Reason = brief{err}, drivers.ReasonOf(err)
	default:
		s.tracker.fail()
		s.unreadable(f.start, err)
	}
}

// wait waits for a flight to land.
func (s *source) wait(ctx context.Context, f *flight) {
	select {
	case <-f.done:
		return
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return // nobody is there any more to be told
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-f.done:
	case <-timer.C:
		s.giveUp(f)
	}
}

// giveUp makes a source unknown that has not answered in the time that somebody had for it. That alone is no gap in
// what is known of its members: the poll goes on, and may yet answer in its own time.
func (s *source) giveUp(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != f {
		return
	}
	f.missed = true
	waited := s.env.clock().sub(f.start).Round(time.Millisecond)
	s.unreadable(f.start, drivers.Unavailable(drivers.ReasonTimeout, fmt.Errorf("%w within %s", errNoAnswer, waited)))
}

package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A link keeps one session with the ensemble for as long as it runs, and makes a new one whenever it is over.
type link struct {
	open   func(ctx context.Context, round int) (*reading, error)
	limit  time.Duration // of the pause between rounds of attempts
	grace  time.Duration // for how long after a loss it is worth waiting for the next session
	gained func(first bool, away time.Duration)
	logger *slog.Logger

	mu      sync.Mutex
	current *reading
	err     error         // why there is no session, nil as long as the first attempt is under way
	rounds  uint64        // fruitless rounds of attempts
	since   time.Time     // when the last session was lost, or the link began
	changed chan struct{} // closed and made anew when any of these changes
}

// run keeps the session until ctx ends.
func (l *link) run(ctx context.Context) {
	pauses := backoff{limit: l.limit}
	for first := true; ctx.Err() == nil; {
		r, err := l.open(ctx, pauses.round)
		if err != nil {
			l.failed(err)
			pauses.pause(ctx)
			continue
		}
		began := time.Now()
		l.gained(first, l.use(r))
		first = false
		select {
		case <-r.session.done:
			l.logger.Warn("lost the ZooKeeper session", "err", r.session.err)
			l.unuse(drivers.Unavailable(drivers.ReasonSession, r.session.err))
		case <-ctx.Done():
			r.session.close()
			l.unuse(drivers.Unavailable(drivers.ReasonSession, errClosed))
			return
		}
		if !pauses.lasted(time.Since(began)) {
			pauses.pause(ctx)
		}
	}
	l.failed(drivers.Unavailable(drivers.ReasonSession, errClosed))
}

// use publishes a session and says how long there was none.
func (l *link) use(r *reading) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current, l.err = r, nil
	l.broadcast()
	return time.Since(l.since)
}

func (l *link) unuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current, l.err, l.since = nil, err, time.Now()
	l.broadcast()
}

// failed notes a fruitless round of attempts.
func (l *link) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.rounds++
	l.broadcast()
}

// broadcast wakes who waits for a change. The caller holds mu.
func (l *link) broadcast() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// acquire returns the current session, waiting for one until ctx ends. Once there has been none for longer than the
// grace it waits no longer than until all servers have been tried once more.
func (l *link) acquire(ctx context.Context) (*reading, error) {
	l.mu.Lock()
	begun := l.rounds
	for {
		r, err, rounds, since, changed := l.current, l.err, l.rounds, l.since, l.changed
		l.mu.Unlock()
		if r != nil && !r.session.ended() {
			return r, nil
		}
		if errors.Is(err, errClosed) || err != nil && rounds > begun && time.Since(since) > l.grace {
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, waited(ctx, err)
		}
		l.mu.Lock()
	}
}

// waited says why there was no session until ctx ended.
func waited(ctx context.Context, err error) error {
	if err == nil {
		return unavailable("waiting for a ZooKeeper session", ctx.Err())
	}
	return drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("%w (%w while trying again)", err, ctx.Err()))
}

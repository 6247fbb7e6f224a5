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
	// open makes a session, however long it takes, until ctx ends. It reports every failure with a server, and whether
	// all servers have failed once more with that.
	open func(ctx context.Context, report func(err error, all bool)) (*reading, error)
	// gained is called for each session, with when the one before was last heard of; zero for the first.
	gained func(heard time.Time)
	logger *slog.Logger

	limit time.Duration // of the pause when sessions don't last
	grace time.Duration // for how long after a loss it is worth waiting for the next session
	where string        // the servers, for people

	mu      sync.Mutex
	current *reading
	err     error         // why there is no session, nil as long as the first attempt is under way
	rounds  uint64        // how often all servers were tried in vain
	since   time.Time     // when the last session was lost, or the link began
	changed chan struct{} // closed and made anew when any of these changes
}

// run keeps the session until ctx ends.
func (l *link) run(ctx context.Context) {
	pauses := backoff{limit: l.limit}
	var heard time.Time // when the last session was last known to be there
	for {
		r, err := l.open(ctx, l.failed)
		if err != nil {
			break
		}
		began := time.Now()
		l.use(r)
		l.gained(heard)
		select {
		case <-r.session.done:
			l.logger.Warn("lost the ZooKeeper session", "err", r.session.err)
			l.unuse(drivers.Unavailable(drivers.ReasonSession, r.session.err))
			heard = r.session.wire.lastHeard()
		case <-ctx.Done():
			r.session.close()
		}
		if !pauses.lasted(time.Since(began)) && !pauses.pause(ctx) {
			break
		}
	}
	l.unuse(drivers.Unavailable(drivers.ReasonSession, errClosed))
}

// use publishes a session.
func (l *link) use(r *reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current, l.err = r, nil
	l.broadcast()
}

func (l *link) unuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current, l.err, l.since = nil, err, time.Now()
	l.broadcast()
}

// failed notes what was seen of the servers.
func (l *link) failed(err error, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	if all {
		l.rounds++
	}
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
			return nil, l.waited(ctx, err)
		}
		l.mu.Lock()
	}
}

// waited says why there was no session until ctx ended.
func (l *link) waited(ctx context.Context, err error) error {
	if err == nil {
		return unavailable("waiting for a ZooKeeper session with "+l.where, ctx.Err())
	}
	return drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("%w (%w while trying again)", err, ctx.Err()))
}

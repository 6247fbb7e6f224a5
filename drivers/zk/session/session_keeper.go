package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A Keeper keeps one session for reading and replaces it when it ends.
type Keeper struct {
	dialer *Dialer
	opts   ReaderOptions
	// onSession is called for each new session, with the time when the server of the session before was last heard,
	// zero for the first session.
	onSession func(lastHeard time.Time)
	grace     time.Duration // how long after a loss Acquire waits for the next session in any case

	mu      sync.Mutex
	current *Reader
	err     error         // why there is no session; nil while the first attempt is under way
	rounds  uint64        // how often all servers have failed
	since   time.Time     // when the last session ended, or Run began
	changed chan struct{} // closed and replaced when one of the fields above changes
}

// NewKeeper returns a Keeper of sessions that d opens for reading. Once there has been no session for longer than grace,
// its Acquire fails as soon as all servers have failed.
func NewKeeper(d *Dialer, opts ReaderOptions, grace time.Duration, onSession func(lastHeard time.Time)) *Keeper {
	return &Keeper{dialer: d, opts: opts, onSession: onSession, grace: grace, changed: make(chan struct{})}
}

// Run keeps a session until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	k.setLost(nil)
	pauses := Backoff{Limit: k.dialer.MaxPause}
	var lastHeard time.Time
	for {
		r, err := k.dialer.openReader(ctx, k.opts, k.failed)
		if err != nil {
			break
		}
		began := time.Now()
		k.onSession(lastHeard)
		k.setCurrent(r)
		select {
		case <-r.Session.Done():
			k.dialer.Options.Logger.Warn("Lost the ZooKeeper session", "err", r.Session.Err())
			k.setLost(lostReason(r.Session.Err()))
			lastHeard = r.Session.wire.lastHeard()
		case <-ctx.Done():
			r.Session.Close()
		}
		if !pauses.Lasted(time.Since(began)) && !pauses.Pause(ctx) {
			break
		}
	}
	k.Close()
}

// lostReason returns why there is no session after one has ended with an error.
func lostReason(err error) error {
	if errors.Is(err, errSASL) {
		return drivers.Unavailable(drivers.ReasonAuth, err)
	}
	return drivers.Unavailable(drivers.ReasonSession, err)
}

// Close makes Acquire fail from now on. Run calls it at its end.
func (k *Keeper) Close() { k.setLost(drivers.Unavailable(drivers.ReasonSession, ErrClosed)) }

// setCurrent publishes a session.
func (k *Keeper) setCurrent(r *Reader) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current, k.err = r, nil
	k.broadcast()
}

func (k *Keeper) setLost(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current, k.err, k.since = nil, err, time.Now()
	k.broadcast()
}

// failed records a failure with a server.
func (k *Keeper) failed(err error, all bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
	if all {
		k.rounds++
	}
	k.broadcast()
}

// broadcast wakes all calls of Acquire. The caller has locked mu.
func (k *Keeper) broadcast() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// Acquire returns the current session, and waits for one until ctx ends. Once there has been no session for longer than
// the grace period, it gives up as soon as all servers have failed once more.
func (k *Keeper) Acquire(ctx context.Context) (*Reader, error) {
	k.mu.Lock()
	before := k.rounds
	for {
		r, err, rounds, since, changed := k.current, k.err, k.rounds, k.since, k.changed
		k.mu.Unlock()
		if r != nil && !r.Session.Ended() {
			return r, nil
		}
		if errors.Is(err, ErrClosed) || err != nil && rounds > before && time.Since(since) > k.grace {
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, k.timedOut(ctx, err)
		}
		k.mu.Lock()
	}
}

// timedOut returns the error for a context that ended before there was a session; err is the last failure.
func (k *Keeper) timedOut(ctx context.Context, err error) error {
	cause := drivers.NoAnswer(ctx, ctx.Err())
	if err == nil {
		return Unavailable(fmt.Sprintf("waiting for a ZooKeeper session with %v", k.dialer.Servers), cause)
	}
	return drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("%w (%w)", err, cause))
}

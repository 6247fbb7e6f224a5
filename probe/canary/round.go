package canary

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

const (
	// minPatience is the least time that a round waits for polls to see the canary. It is more than twice the default
	// scrape interval of Prometheus, because scrapes may be the only cause of polls.
	minPatience = 150 * time.Second
	// removeTimeout bounds the removal of the canary, which also happens when the process is stopping.
	removeTimeout = 5 * time.Second
	// forgetAfter is the age of the last heartbeat at which the remains of another process's canary are removed.
	forgetAfter = time.Hour
	// maxEvents is how many events may be queued. A group has one canary of each exporter.
	maxEvents = 1000
	// recheckInterval is the time between two checks whether the canary is up.
	recheckInterval = 50 * time.Millisecond
)

// A failure is why a round failed.
type failure struct {
	reason reason
	err    error
}

func (f *failure) Error() string { return fmt.Sprintf("%s: %v", f.reason, f.err) }

func (f *failure) Unwrap() error { return f.err }

func failed(reason reason, err error) error {
	if err == nil {
		return nil
	}
	return &failure{reason, err}
}

// round joins the canary, kills it, waits until polls see it dead, lets it return, waits until polls see it up, and removes
// it.
func (r *runner) round(ctx context.Context) (err error) {
	driver, joiner, err := r.source.OpenJoiner(r.source.Group, []string{r.member}, nil)
	if err != nil {
		return failed(reasonJoin, err)
	}
	observer, err := probe.Observe(ctx, &r.source.Source, driver, maxEvents)
	if err != nil {
		return failed(reasonUnavailable, err)
	}
	defer func() { err = errors.Join(err, observer.Close()) }()
	r.observer.Store(observer)
	defer r.observer.Store(nil)

	member := probe.NewMember(joiner, r.source.Group, r.member)
	defer func() { err = errors.Join(err, r.remove(ctx, joiner, member)) }()
	return r.measure(ctx, observer, member)
}

func (r *runner) measure(ctx context.Context, observer *probe.Observer, member *probe.Member) error {
	downTime := observer.Snapshot().DownTime
	w := watch{observer: observer, member: r.member, patience: max(3*downTime, minPatience)}
	if err := member.Join(ctx); err != nil {
		return failed(reasonJoin, err)
	}
	if err := w.waitUntilUp(ctx); err != nil {
		return err
	}
	// The canary dies at a random moment between two proofs of life.
	if err := probe.Sleep(ctx, rand.N(max(downTime/2, 1))); err != nil {
		return err
	}
	died := member.Kill()
	seen, err := w.waitForEvent(ctx, false)
	if err != nil {
		return err
	}
	r.metrics.detection.WithLabelValues(r.source.Name).Observe(seen.Sub(died).Seconds())
	if err := member.Join(ctx); err != nil {
		return failed(reasonJoin, err)
	}
	returned := time.Now()
	if seen, err = w.waitForEvent(ctx, true); err != nil {
		return err
	}
	// A poll may see the canary up just before its own join returns.
	r.metrics.recovery.WithLabelValues(r.source.Name).Observe(max(seen.Sub(returned), 0).Seconds())
	return nil
}

// A watch waits until polls see what happened to a member.
type watch struct {
	observer *probe.Observer
	member   string
	patience time.Duration
}

// waitUntilUp waits until a snapshot has the member up. It does not use events: a member whose state was unknown in its first
// poll is later seen up without an event.
func (w *watch) waitUntilUp(ctx context.Context) error {
	for end := time.Now().Add(w.patience); time.Now().Before(end); {
		for _, m := range w.observer.Snapshot().Members {
			if m.Name == w.member && m.State == collector.Up {
				return nil
			}
		}
		if err := probe.Sleep(ctx, recheckInterval); err != nil {
			return err
		}
	}
	return w.notSeen(true)
}

// waitForEvent waits until a poll sees the member up, or dead, and returns when it did.
func (w *watch) waitForEvent(ctx context.Context, up bool) (time.Time, error) {
	timer := time.NewTimer(w.patience)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case e := <-w.observer.Events():
			if e.Member.Name == w.member && matches(&e, up) {
				return e.Time, nil
			}
		case <-timer.C:
			return time.Time{}, w.notSeen(up)
		}
	}
}

// matches reports whether the event says that a member is up, or dead.
func matches(e *collector.Event, up bool) bool {
	switch e.Type {
	case collector.EventJoin, collector.EventRecovery:
		return up && e.Member.Up
	case collector.EventDeath:
		return !up
	default:
		return false
	}
}

// notSeen returns why polls did not see the member up, or dead, in time.
func (w *watch) notSeen(up bool) error {
	snapshot := w.observer.Snapshot()
	switch {
	case !snapshot.Readable:
		return failed(reasonUnavailable, snapshot.Err)
	case up:
		return failed(reasonUnseen, fmt.Errorf("the canary is alive, but no poll saw it up within %v", w.patience))
	default:
		return failed(reasonUndetected, fmt.Errorf("the canary is dead, but no poll saw it down within %v", w.patience))
	}
}

// remove removes the canary, and the remains of canaries whose processes were killed.
func (r *runner) remove(ctx context.Context, joiner drivers.Joiner, member *probe.Member) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	err := member.Leave(ctx)
	for _, m := range r.observer.Load().Snapshot().Members { // of the group, or of the whole private table
		if m.Name == r.member || m.Up || m.LastHeartbeat.IsZero() || time.Since(m.LastHeartbeat) < forgetAfter {
			continue
		}
		if e := joiner.Leave(ctx, m.Group, m.Name); e != nil && !errors.Is(e, drivers.ErrNoMember) {
			err = errors.Join(err, e)
		}
	}
	return failed(reasonLeave, err)
}

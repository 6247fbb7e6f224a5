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
	// leastPatience is how long a canary waits to be seen in any case. It is more than twice Prometheus' default scrape
	// interval, since scrapes may be all that polls.
	leastPatience = 150 * time.Second
	// leaveTime bounds the removal of what is left, which has to be done even when the process is to end.
	leaveTime = 5 * time.Second
	// forgetAfter is when the remains of another process's canary are removed, where its heartbeat says how old they are.
	forgetAfter = time.Hour
	// maxEvents is how many events may wait: there are as many canaries in a group as there are exporters.
	maxEvents = 1000
)

// A failure is why a round failed.
type failure struct {
	reason reason
	err    error
}

func (f *failure) Error() string { return fmt.Sprintf("%s: %v", f.reason, f.err) }

func (f *failure) Unwrap() error { return f.err }

func failed(why reason, err error) error {
	if err == nil {
		return nil
	}
	return &failure{why, err}
}

// round lets the canary join, die, be seen dead, return and be seen alive, and removes it.
func (b *bird) round(ctx context.Context) (err error) {
	driver, joiner, err := b.source.OpenJoiner(b.source.Group, []string{b.member}, nil)
	if err != nil {
		return failed(reasonJoin, err)
	}
	observer, err := probe.Observe(ctx, &b.source.Source, driver, maxEvents)
	if err != nil {
		return failed(reasonUnavailable, err)
	}
	defer func() { err = errors.Join(err, observer.Close()) }()
	b.observer.Store(observer)
	defer b.observer.Store(nil)

	member := probe.NewMember(joiner, b.source.Group, b.member)
	defer func() { err = errors.Join(err, b.clean(ctx, joiner, member)) }()
	return b.dieAndReturn(ctx, observer, member)
}

func (b *bird) dieAndReturn(ctx context.Context, observer *probe.Observer, member *probe.Member) error {
	downTime := observer.Snapshot().DownTime
	w := watch{observer: observer, member: b.member, patience: max(3*downTime, leastPatience)}
	if err := member.Join(ctx); err != nil {
		return failed(reasonJoin, err)
	}
	if err := w.appear(ctx); err != nil {
		return err
	}
	// Death comes at any moment between two proofs of life.
	if err := sleep(ctx, rand.N(max(downTime/2, 1))); err != nil {
		return err
	}
	died := member.Kill()
	seen, err := w.wait(ctx, false)
	if err != nil {
		return err
	}
	b.metrics.detection.WithLabelValues(b.source.Name).Observe(seen.Sub(died).Seconds())
	if err := member.Join(ctx); err != nil {
		return failed(reasonJoin, err)
	}
	returned := time.Now()
	if seen, err = w.wait(ctx, true); err != nil {
		return err
	}
	// It may have been seen in the moment before the joiner knew that it was there.
	b.metrics.recovery.WithLabelValues(b.source.Name).Observe(max(seen.Sub(returned), 0).Seconds())
	return nil
}

// A watch waits for polls to see what happened to a member.
type watch struct {
	observer *probe.Observer
	member   string
	patience time.Duration
}

// appear waits until the member is up. No event tells of one that a poll could say nothing of at first.
func (w *watch) appear(ctx context.Context) error {
	for end := time.Now().Add(w.patience); time.Now().Before(end); {
		for _, m := range w.observer.Snapshot().Members {
			if m.Name == w.member && m.State == collector.Up {
				return nil
			}
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return err
		}
	}
	return w.unseen(true)
}

// lookAgain is how often it is looked whether the canary is there by now.
const lookAgain = 50 * time.Millisecond

// wait gives when the member was seen up, or dead.
func (w *watch) wait(ctx context.Context, up bool) (time.Time, error) {
	timer := time.NewTimer(w.patience)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case e := <-w.observer.Events():
			if e.Member.Name == w.member && shows(&e, up) {
				return e.Time, nil
			}
		case <-timer.C:
			return time.Time{}, w.unseen(up)
		}
	}
}

// shows says whether an event shows a member up, or dead.
func shows(e *collector.Event, up bool) bool {
	switch e.Type {
	case collector.EventJoin, collector.EventRecovery:
		return up && e.Member.Up
	case collector.EventDeath:
		return !up
	default:
		return false
	}
}

// unseen is why nothing was seen in all the time.
func (w *watch) unseen(up bool) error {
	snapshot := w.observer.Snapshot()
	switch {
	case !snapshot.Readable:
		return failed(reasonUnavailable, snapshot.Err)
	case up:
		return failed(reasonUnseen, fmt.Errorf("it lives, and no poll saw it up within %v", w.patience))
	default:
		return failed(reasonUndetected, fmt.Errorf("it is dead, and no poll saw it down within %v", w.patience))
	}
}

// clean removes the canary, and those that other processes left behind when they were killed.
func (b *bird) clean(ctx context.Context, joiner drivers.Joiner, member *probe.Member) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	err := member.Leave(ctx)
	for _, m := range b.observer.Load().Snapshot().Members { // all of the group, or of the private table
		if m.Name == b.member || m.Up || m.LastHeartbeat.IsZero() || time.Since(m.LastHeartbeat) < forgetAfter {
			continue
		}
		if e := joiner.Leave(ctx, m.Group, m.Name); e != nil && !errors.Is(e, drivers.ErrNoMember) {
			err = errors.Join(err, e)
		}
	}
	return failed(reasonLeave, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

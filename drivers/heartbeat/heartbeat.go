// Package heartbeat sends the heartbeats of members in backends without sessions. It is the part of [drivers.Membership] that
// all such backends have in common: it decides when a heartbeat is written, and when the last one. The conformance suite in
// internal/drivertest tests it through each driver that uses it.
package heartbeat

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A Writer writes one member's heartbeats to the backend. Its methods are called one at a time.
type Writer interface {
	// Beat writes a heartbeat. An error that wraps [drivers.ErrRemoved] ends the membership: the member was removed. After any
	// other error the next heartbeat is tried.
	Beat(ctx context.Context) error

	// Leave removes the member. It is not an error if the member does not exist.
	Leave(ctx context.Context) error

	// Die makes the last heartbeat so old that every reader sees the member down at once, and stores the time of its death if
	// the backend can.
	Die(ctx context.Context, at time.Time) error
}

// A Keeper sends the heartbeats of the members that joined through one driver. Its methods may be called concurrently.
type Keeper struct {
	life     context.Context
	interval time.Duration

	mu    sync.Mutex // so that no member is added during Wait
	beats sync.WaitGroup
}

// NewKeeper returns a keeper that sends heartbeats at an interval until the membership or the driver's life ends.
func NewKeeper(life context.Context, interval time.Duration) *Keeper {
	return &Keeper{life: life, interval: interval}
}

// Keep sends the heartbeats of a member after its first one, which the driver has written. It fails if life has ended. The
// logger gets a message when heartbeats start to fail, and when they succeed again.
func (k *Keeper) Keep(w Writer, logger *slog.Logger) (drivers.Membership, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.life.Err(); err != nil {
		return nil, err
	}
	m := &membership{
		writer: w, logger: logger, interval: k.interval,
		quit: make(chan struct{}), stopped: make(chan struct{}), done: make(chan struct{}),
	}
	m.life, m.kill = context.WithCancel(k.life)
	k.beats.Go(m.run)
	return m, nil
}

// Wait waits for the heartbeats under way. It must be called after life has ended.
func (k *Keeper) Wait() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.beats.Wait()
}

// A membership is one member that joined through this process.
type membership struct {
	writer   Writer
	logger   *slog.Logger
	interval time.Duration

	life    context.Context // of the heartbeats; ends with the keeper's
	kill    context.CancelFunc
	quit    chan struct{} // closed to end the heartbeats after the one under way
	stopped chan struct{} // closed when they have ended
	once    sync.Once     // only the first of Leave, Die and Abandon has an effect

	done chan struct{}
	err  error // set before done is closed

	failing drivers.LastingError
}

// run sends heartbeats until the membership ends.
func (m *membership) run() {
	defer close(m.stopped)
	defer m.kill()
	ticker := time.NewTicker(m.interval)
	defer ticker.Stop()
	for {
		select {
		case <-m.quit:
			return
		case <-m.life.Done():
			return
		case <-ticker.C:
		}
		if err := m.beat(); errors.Is(err, drivers.ErrRemoved) {
			m.err = err
			close(m.done)
			return
		}
	}
}

func (m *membership) beat() error {
	err := m.writer.Beat(m.life)
	if m.life.Err() != nil || errors.Is(err, drivers.ErrRemoved) {
		return err // The membership was ended, or the member was removed.
	}
	switch failed, ended := m.failing.Update(err); {
	case failed:
		m.logger.Warn("Heartbeats fail", "err", err)
	case ended:
		m.logger.Info("Heartbeats succeed again")
	}
	return err
}

// Leave implements [drivers.Membership].
func (m *membership) Leave(ctx context.Context) error { return m.end(ctx, m.writer.Leave) }

// Die implements [drivers.Membership].
func (m *membership) Die(ctx context.Context, death drivers.Death) error {
	return m.end(ctx, func(ctx context.Context) error { return m.writer.Die(ctx, death.At) })
}

// end ends the heartbeats and then calls last, unless the membership was ended before, by this process or by another. The name may
// belong to another process by then.
func (m *membership) end(ctx context.Context, last func(context.Context) error) (err error) {
	m.once.Do(func() {
		// A heartbeat under way must not arrive after the last write, so wait for it.
		close(m.quit)
		select {
		case <-m.stopped:
		case <-ctx.Done():
			m.kill()
			<-m.stopped
		}
		if m.Err() == nil {
			err = last(ctx)
		}
	})
	return err
}

// Abandon implements [drivers.Membership].
func (m *membership) Abandon() {
	m.once.Do(func() {
		m.kill()
		<-m.stopped
	})
}

// Done implements [drivers.Membership].
func (m *membership) Done() <-chan struct{} { return m.done }

// Err implements [drivers.Membership].
func (m *membership) Err() error {
	select {
	case <-m.done:
		return m.err
	default:
		return nil
	}
}

package zk

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"servicegroup_exporter/drivers/zk/session"

	zkclient "github.com/go-zookeeper/zk"
)

// A membership is one name that this process holds. Its goroutine keeps it, over as many sessions as that takes, until
// one of Leave, Die and Abandon ends it or somebody else does.
type membership struct {
	driver *Driver
	dialer session.Dialer
	group  string
	seat   seat
	logger *slog.Logger

	// Used by Join first, then by the goroutine, and by Leave or Die once that has stopped.
	self    record
	pauses  session.Backoff
	giveUp  time.Time // how long Join waits for a holder that may be dead
	session *session.Session
	// rosterCzxid is the transaction that made the directory of the record.
	rosterCzxid int64

	event chan struct{} // capacity 1: something happened to the znode

	cancel  context.CancelFunc
	stopped chan struct{} // closed when the goroutine has ended
	ending  sync.Once
	done    chan struct{}
	err     error // set before done is closed
}

// start begins to keep the membership. The caller has entered the driver.
func (m *membership) start(s *session.Session) {
	m.session = s
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(m.driver.ctx)
	m.driver.running.Go(func() {
		defer close(m.stopped)
		m.keep(ctx)
	})
}

// onNode is called when a watch fires.
func (m *membership) onNode(zkclient.Event) {
	select {
	case m.event <- struct{}{}:
	default:
	}
}

// Done implements drivers.Membership.
func (m *membership) Done() <-chan struct{} { return m.done }

// Err implements drivers.Membership.
func (m *membership) Err() error {
	select {
	case <-m.done:
		return m.err
	default:
		return nil
	}
}

// stop ends the goroutine. It returns false if the membership has ended before.
func (m *membership) stop() bool {
	first := false
	m.ending.Do(func() {
		first = true
		m.cancel()
		<-m.stopped
	})
	return first && m.Err() == nil
}

// Abandon implements drivers.Membership: it cuts the connection, and leaves the session to expire.
func (m *membership) Abandon() {
	if !m.stop() {
		return
	}
	m.driver.forsake(m)
	m.session.Abandon()
}

// Leave implements drivers.Membership.
func (m *membership) Leave(ctx context.Context) error { return m.end(ctx, "leaving", m.removeBoth) }

// Die implements drivers.Membership.
func (m *membership) Die(ctx context.Context, at time.Time) error {
	return m.end(ctx, "recording the death of", func(found *place) ([]any, error) {
		last := m.self
		last.DiedAt = at.UTC()
		data, err := last.encode()
		if err != nil {
			return nil, err
		}
		ops := m.removeNode(found)
		if m.owns(found) {
			ops = append(ops, &zkclient.SetDataRequest{Path: m.seat.record, Data: data, Version: found.recordVersion})
		}
		return ops, nil
	})
}

// owns says whether the record is this membership's.
func (m *membership) owns(at *place) bool { return at.rostered && at.said.ID == m.self.ID }

// removeNode gives what removes the ephemeral znode if it is this membership's.
func (m *membership) removeNode(at *place) []any {
	if !at.ours(m.self.ID) {
		return nil
	}
	return []any{&zkclient.DeleteRequest{Path: m.seat.node, Version: at.stat.Version}}
}

// removeBoth gives what removes both znodes, as far as they are this membership's.
func (m *membership) removeBoth(at *place) ([]any, error) {
	ops := m.removeNode(at)
	if m.owns(at) {
		ops = append(ops, &zkclient.DeleteRequest{Path: m.seat.record, Version: at.recordVersion})
	}
	return ops, nil
}

// end stops the membership and makes its last transaction, in its session if that is still there, else in another one.
// If that can't be done before ctx ends, the session is closed all the same, and the member is dead.
func (m *membership) end(ctx context.Context, doing string, change func(*place) ([]any, error)) error {
	if m.driver.enter() != nil {
		return nil // Closing the driver abandons it.
	}
	defer m.driver.leave()
	if !m.stop() {
		return nil
	}
	defer m.driver.unregister(m)
	ctx, unbind := m.driver.bounded(ctx)
	defer unbind()
	last := func(ctx context.Context, s *session.Session) error {
		if err := m.dialer.Reauthenticate(ctx, s); err != nil {
			return err
		}
		return m.conclude(ctx, s, change)
	}
	err := last(ctx, m.session)
	m.session.Close()
	if session.Lost(err) {
		var s *session.Session
		if s, err = m.acquire(ctx, last); err == nil {
			s.Close()
		}
	}
	if err != nil {
		return session.Unavailable(fmt.Sprintf("%s %s", doing, m.seat.node), err)
	}
	return nil
}

// conclude makes a transaction of what change makes of the place, as often as it takes until nobody interferes.
func (m *membership) conclude(ctx context.Context, s *session.Session, change func(*place) ([]any, error)) error {
	for {
		at, err := inspect(ctx, s, m.seat)
		if err != nil {
			return err
		}
		ops, err := change(&at)
		if err != nil || len(ops) == 0 {
			return err
		}
		if err := s.Transact(ctx, ops); !session.Overtaken(err) {
			return err
		}
	}
}

// finish ends the membership because somebody else did.
func (m *membership) finish(why error) {
	m.logger.Warn("membership ended", "err", why)
	m.session.Close()
	m.driver.unregister(m)
	m.err = fmt.Errorf("%s: %w", m.seat.node, why)
	close(m.done)
}

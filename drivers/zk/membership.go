package zk

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// A membership is one member that this process has joined for. Its goroutine maintains it, over as many sessions as that
// takes, until Leave, Die or Abandon is called, or until another client removes the member or takes its name.
type membership struct {
	driver *Driver
	dialer session.Dialer
	group  string
	paths  memberPaths
	logger *slog.Logger

	// Join uses these fields first, then the goroutine, then Leave or Die once the goroutine has ended.
	record    record
	pauses    session.Backoff
	waitUntil time.Time // how long Join waits for an owner of the name that may be dead
	session   *session.Session
	failing   drivers.LastingError // the membership can't be restored
	// rosterCzxid and rosterCtime are the transaction that created the group's directory in the roster, and its time.
	rosterCzxid, rosterCtime int64
	watching                 *session.Session // in which the watch on the member's znode is set
	verifyAt                 time.Time        // when the session is to be verified

	event chan struct{} // capacity 1: the watch on the member's znode has fired

	cancel  context.CancelFunc
	stopped chan struct{} // closed when the goroutine has ended
	ending  sync.Once
	done    chan struct{}
	err     error // set before done is closed
}

// start starts the goroutine. The caller has called beginCall.
func (m *membership) start(s *session.Session) {
	m.session = s
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(m.driver.ctx)
	m.driver.running.Go(func() {
		defer close(m.stopped)
		m.maintain(ctx)
	})
}

// onWatch is called when a watch fires.
func (m *membership) onWatch(zkclient.Event) {
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

// stop ends the goroutine. It returns false if the membership had already ended.
func (m *membership) stop() bool {
	first := false
	m.ending.Do(func() {
		first = true
		m.cancel()
		<-m.stopped
	})
	return first && m.Err() == nil
}

// Abandon implements drivers.Membership. It closes the connection, so that the session expires after its timeout.
func (m *membership) Abandon() {
	if !m.stop() {
		return
	}
	m.driver.setAbandoned(m)
	m.session.Abandon()
}

// Leave implements drivers.Membership.
func (m *membership) Leave(ctx context.Context) error { return m.end(ctx, "leaving", m.deleteBoth) }

// Die implements drivers.Membership.
func (m *membership) Die(ctx context.Context, death drivers.Death) error {
	return m.end(ctx, "recording the death of", func(state *memberState) ([]any, error) {
		last := m.record
		last.DiedAt, last.Cause = death.At.UTC(), death.Cause
		data, err := last.encode()
		if err != nil {
			return nil, err
		}
		ops := m.deleteNode(state)
		if m.ownsRecord(state) {
			ops = append(ops, &zkclient.SetDataRequest{Path: m.paths.record, Data: data, Version: state.recordVersion})
		}
		return ops, nil
	})
}

// ownsRecord reports whether the record in the roster is this membership's.
func (m *membership) ownsRecord(state *memberState) bool {
	return state.rostered && state.record.ID == m.record.ID
}

// deleteNode returns the request that deletes the member's znode, none if the znode is not this membership's.
func (m *membership) deleteNode(state *memberState) []any {
	if !state.ownedBy(m.record.ID) {
		return nil
	}
	return []any{&zkclient.DeleteRequest{Path: m.paths.node, Version: state.stat.Version}}
}

// deleteBoth returns the requests that delete the member's znode and its record, as far as they are this membership's.
func (m *membership) deleteBoth(state *memberState) ([]any, error) {
	ops := m.deleteNode(state)
	if m.ownsRecord(state) {
		ops = append(ops, &zkclient.DeleteRequest{Path: m.paths.record, Version: state.recordVersion})
	}
	return ops, nil
}

// end stops the membership and makes its last transaction, in its own session or, if that is lost, in a new one. If ctx
// ends before that, the session is closed all the same, and the member is dead.
func (m *membership) end(ctx context.Context, doing string, ops func(*memberState) ([]any, error)) error {
	if m.driver.beginCall() != nil {
		return nil // Close has abandoned the membership.
	}
	defer m.driver.endCall()
	if !m.stop() {
		return nil
	}
	defer m.driver.unregister(m)
	ctx, stop := drivers.WithLife(ctx, m.driver.ctx)
	defer stop()
	last := func(ctx context.Context, s *session.Session) error {
		if err := m.dialer.Reauthenticate(ctx, s); err != nil {
			return err
		}
		return m.transact(ctx, s, ops)
	}
	err := last(ctx, m.session)
	m.session.Close()
	if session.Lost(err) {
		var s *session.Session
		if s, err = m.dial(ctx, last); err == nil {
			s.Close()
		}
	}
	if err != nil {
		return session.Unavailable(fmt.Sprintf("%s %s", doing, m.paths.node), err)
	}
	return nil
}

// transact reads the member's znodes and makes the transaction that ops returns for them. It does so again while another
// client changes the znodes in between.
func (m *membership) transact(ctx context.Context, s *session.Session, ops func(*memberState) ([]any, error)) error {
	for {
		state, err := inspect(ctx, s, m.paths)
		if err != nil {
			return err
		}
		requests, err := ops(&state)
		if err != nil || len(requests) == 0 {
			return err
		}
		if err := s.Transact(ctx, requests); !session.IsConflict(err) {
			return err
		}
	}
}

// endedByOther ends the membership because another client has removed the member or taken its name.
func (m *membership) endedByOther(why error) {
	m.logger.Warn("Membership was ended by another client", "err", why)
	m.session.Close()
	m.driver.unregister(m)
	m.err = fmt.Errorf("%s: %w", m.paths.node, why)
	close(m.done)
}

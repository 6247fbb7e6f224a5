package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// errNotOwner means that the member's znode does not exist or belongs to another session.
var errNotOwner = errors.New("the znode was deleted or belongs to another session")

// errUnverified means that it is not known whether the member's znode is where other clients read it: the server has not said in
// time that it has caught up with the leader, or the last time that this was verified is long ago.
var errUnverified = errors.New("the session must be verified on a new connection")

// maintain keeps the member's znode in place until ctx ends, or until another client removes the member or takes its name.
func (m *membership) maintain(ctx context.Context) {
	for {
		began := time.Now()
		err := m.waitUntilLost(ctx, m.session)
		lost := err
		if !m.pauses.Lasted(time.Since(began)) && !m.pauses.Pause(ctx) || ctx.Err() != nil {
			return
		}
		switch {
		case m.session.Ended():
			if !m.failing.Lasts() {
				m.logger.Warn("Lost the ZooKeeper session of a member", "err", err)
			}
			err = m.reconnect(ctx)
		case errors.Is(err, errUnverified):
			err = m.verify(ctx)
		default:
			err = m.restore(ctx, m.session)
		}
		if errors.Is(err, drivers.ErrNameTaken) || errors.Is(err, drivers.ErrRemoved) {
			m.endedByOther(err)
			return
		}
		if ctx.Err() == nil && !session.Lost(err) {
			m.logRestored(lost, err)
		}
	}
}

// logRestored logs that the membership could not be restored, or that it was.
func (m *membership) logRestored(lost, err error) {
	failed, ended := m.failing.Update(err)
	switch {
	case failed:
		m.logger.Warn("Can't restore a membership, trying again", "err", err)
	case ended || err == nil && errors.Is(lost, errNotOwner):
		m.logger.Info("Restored a membership")
	}
}

// waitUntilLost returns when the member's znode no longer belongs to the session, or when the session must be verified. It
// watches the znode, and also reads it three times per session timeout: that finds a server that answers pings but no requests,
// and one that has lost the leader, which lets the session expire.
func (m *membership) waitUntilLost(ctx context.Context, s *session.Session) error {
	m.verifyAt = time.Now().Add(verifyEvery * s.Timeout * 3 / 4).Add(rand.N(verifyEvery * s.Timeout / 2))
	for read := m.readOwner; ; {
		if m.watching != s {
			read = m.watchOwner
		}
		owner, err := within(ctx, s, read)
		switch {
		case err != nil:
			return err
		case owner != s.ID:
			return errNotOwner
		case time.Now().After(m.verifyAt):
			return errUnverified
		}
		timer := time.NewTimer(s.Timeout / 3)
		select {
		case <-m.event:
			m.watching = nil
		case <-timer.C:
			read = m.readOwner
		case <-s.Done():
			timer.Stop()
			return s.Err()
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

// within calls read for at most a quarter of the session timeout, so that there is time for a new session before this one
// expires.
func within(ctx context.Context, s *session.Session, read func(context.Context, *session.Session) (int64, error)) (int64, error) {
	short, cancel := context.WithTimeout(ctx, s.Timeout/4)
	defer cancel()
	owner, err := read(short, s)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return 0, errUnverified
	}
	return owner, err
}

// watchOwner sets a watch on the member's znode and returns the session that the znode belongs to, 0 if there is none. In
// this session, no other watch may be set.
func (m *membership) watchOwner(ctx context.Context, s *session.Session) (int64, error) {
	m.watching = s
	return session.Call(ctx, s, func(c *zkclient.Conn) (int64, error) {
		exists, stat, _, err := c.ExistsW(m.paths.node)
		if err != nil || !exists {
			return 0, err
		}
		return stat.EphemeralOwner, nil
	})
}

// readOwner is like watchOwner, but sets no watch, and waits until the server has caught up with the leader.
func (m *membership) readOwner(ctx context.Context, s *session.Session) (int64, error) {
	if err := s.Sync(ctx, m.paths.node); err != nil {
		return 0, err
	}
	stat, err := s.Stat(ctx, m.paths.node)
	if errors.Is(err, zkclient.ErrNoNode) {
		return 0, nil
	}
	return stat.EphemeralOwner, err
}

// reconnect moves the membership to a new session.
func (m *membership) reconnect(ctx context.Context) error {
	began := time.Now()
	s, err := m.dial(ctx, m.restore)
	if err != nil {
		return err
	}
	m.logger.Info("Member has a new ZooKeeper session", "away", time.Since(began).Round(time.Millisecond))
	m.session = s
	return nil
}

// verifyEvery is how often, in session timeouts, a member's session is compared with one on a new connection.
const verifyEvery = 10

// verify makes a session on a new connection to a newly resolved address. If that shows the member's znode, and the session that
// the member has still answers, the member stays. Otherwise it moves: its server has lost the leader, or it is with servers that
// other clients do not use any more, since the name or the load balancer leads elsewhere. If no session can be made, it stays.
func (m *membership) verify(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, m.session.Timeout)
	defer cancel()
	s, err := m.dialer.Dial(dialing, session.NewFailures(m.dialer.Servers, func(error, bool) {}))
	if err != nil {
		return nil
	}
	owner, err := m.readOwner(dialing, s)
	if err == nil && owner == m.session.ID {
		if _, err := within(ctx, m.session, m.readOwner); err == nil {
			s.Close()
			return nil
		}
	}
	if err == nil {
		err = m.restore(dialing, s)
	}
	if err != nil {
		s.Close()
		return err
	}
	m.driver.connections.Add(1)
	m.logger.Warn("Moved a member to another ZooKeeper server", "from", m.session.Server, "to", s.Server)
	m.session.Close()
	m.session = s
	return nil
}

// restore creates the member's znode in the session, unless another membership has the name or the member was removed on
// purpose.
func (m *membership) restore(ctx context.Context, s *session.Session) error {
	for {
		state, err := inspect(ctx, s, m.paths)
		if err != nil {
			return err
		}
		switch {
		case state.present && !state.ownedBy(m.record.ID):
			return state.nameTaken()
		case state.present && state.stat.EphemeralOwner == s.ID:
			return nil
		case !state.present && !state.rostered:
			if removed, err := m.removedOnPurpose(ctx, s); err != nil || removed {
				return cmp.Or(err, drivers.ErrRemoved)
			}
		}
		if err := m.write(ctx, s, &state); !session.IsConflict(err) {
			if err == nil && !state.present && s != m.session {
				m.driver.expirations.Add(1)
			}
			return err
		}
	}
}

// removedOnPurpose reports whether another client deleted the record on purpose. If the group's directory in the roster
// does not exist, or is a new one, the servers have lost their data, and the member has to create its znodes again.
func (m *membership) removedOnPurpose(ctx context.Context, s *session.Session) (bool, error) {
	stat, err := s.Stat(ctx, m.driver.paths.rosterGroup(m.group))
	if errors.Is(err, zkclient.ErrNoNode) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the group's roster: %w", err)
	}
	return stat.Czxid == m.rosterCzxid && stat.Ctime == m.rosterCtime, nil
}

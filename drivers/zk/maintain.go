package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// errNotOwner means that the member's znode does not exist or belongs to another session.
var errNotOwner = errors.New("the znode was deleted or belongs to another session")

// maintain keeps the member's znode in place until ctx ends, or until another client removes the member or takes its name.
func (m *membership) maintain(ctx context.Context) {
	for {
		began := time.Now()
		err := m.waitUntilLost(ctx, m.session)
		if !m.pauses.Lasted(time.Since(began)) && !m.pauses.Pause(ctx) || ctx.Err() != nil {
			return
		}
		if m.session.Ended() {
			m.logger.Warn("Lost the ZooKeeper session of a member", "err", err)
			err = m.reconnect(ctx)
		} else {
			err = m.restore(ctx, m.session)
		}
		switch {
		case errors.Is(err, drivers.ErrNameTaken), errors.Is(err, drivers.ErrRemoved):
			m.endedByOther(err)
			return
		case err != nil && ctx.Err() == nil && !session.Lost(err):
			m.logger.Warn("Can't restore a membership, trying again", "err", err)
		}
	}
}

// waitUntilLost returns when the member's znode no longer belongs to the session. It watches the znode, and also reads it
// twice per session timeout: that finds a server that answers pings but no requests.
func (m *membership) waitUntilLost(ctx context.Context, s *session.Session) error {
	for read := m.watchOwner; ; {
		owner, err := read(ctx, s)
		if err != nil {
			return err
		}
		if owner != s.ID {
			return errNotOwner
		}
		timer := time.NewTimer(s.Timeout / 2)
		select {
		case <-m.event:
			read = m.watchOwner
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

// watchOwner sets a watch on the member's znode and returns the session that the znode belongs to, 0 if there is none. In
// this session, no other watch may be set.
func (m *membership) watchOwner(ctx context.Context, s *session.Session) (int64, error) {
	return session.Call(ctx, s, func(c *zkclient.Conn) (int64, error) {
		exists, stat, _, err := c.ExistsW(m.paths.node)
		if err != nil || !exists {
			return 0, err
		}
		return stat.EphemeralOwner, nil
	})
}

// readOwner is like watchOwner, but sets no watch.
func (m *membership) readOwner(ctx context.Context, s *session.Session) (int64, error) {
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
	return stat.Czxid == m.rosterCzxid, nil
}

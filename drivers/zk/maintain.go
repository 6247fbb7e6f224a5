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

// errNotThere says that the membership's znode is gone or is not its own any more.
var errNotThere = errors.New("the znode is gone or another's")

// keep keeps the membership until ctx ends or somebody else ends it.
func (m *membership) keep(ctx context.Context) {
	for {
		began := time.Now()
		err := m.hold(ctx, m.session)
		if !m.pauses.Lasted(time.Since(began)) && !m.pauses.Pause(ctx) || ctx.Err() != nil {
			return
		}
		if m.session.Ended() {
			m.logger.Warn("lost the ZooKeeper session of a member", "err", err)
			err = m.resume(ctx)
		} else {
			err = m.restore(ctx, m.session)
		}
		switch {
		case errors.Is(err, drivers.ErrNameTaken), errors.Is(err, drivers.ErrRemoved):
			m.finish(err)
			return
		case err != nil && ctx.Err() == nil && !session.Lost(err):
			m.logger.Warn("can't keep a membership, trying again", "err", err)
		}
	}
}

// hold waits for as long as the znode is there in this session.
func (m *membership) hold(ctx context.Context, s *session.Session) error {
	// Besides the watch there is a look now and then, which finds a server that pings but does not serve.
	for look := m.watch; ; {
		owner, err := look(ctx, s)
		if err != nil {
			return err
		}
		if owner != s.ID {
			return errNotThere
		}
		timer := time.NewTimer(s.Timeout / 2)
		select {
		case <-m.event:
			look = m.watch
		case <-timer.C:
			look = m.owner
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

// watch sets a watch on the znode and gives the session that owns it, zero if none does. No other watch may be
// outstanding in this session.
func (m *membership) watch(ctx context.Context, s *session.Session) (int64, error) {
	return session.Call(ctx, s, func(c *zkclient.Conn) (int64, error) {
		exists, stat, _, err := c.ExistsW(m.seat.node)
		if err != nil || !exists {
			return 0, err
		}
		return stat.EphemeralOwner, nil
	})
}

func (m *membership) owner(ctx context.Context, s *session.Session) (int64, error) {
	stat, err := s.Stat(ctx, m.seat.node)
	if errors.Is(err, zkclient.ErrNoNode) {
		return 0, nil
	}
	return stat.EphemeralOwner, err
}

// resume moves the membership to a new session.
func (m *membership) resume(ctx context.Context) error {
	began := time.Now()
	s, err := m.acquire(ctx, m.restore)
	if err != nil {
		return err
	}
	m.logger.Info("member has a ZooKeeper session again", "away", time.Since(began).Round(time.Millisecond))
	m.session = s
	return nil
}

// restore makes the znode again in this session, unless the name was given to another or was removed on purpose.
func (m *membership) restore(ctx context.Context, s *session.Session) error {
	for {
		at, err := inspect(ctx, s, m.seat)
		if err != nil {
			return err
		}
		switch {
		case at.present && !at.ours(m.self.ID):
			return at.heldBy()
		case at.present && at.stat.EphemeralOwner == s.ID:
			return nil
		case !at.present && !at.rostered:
			if removed, err := m.removedOnPurpose(ctx, s); err != nil || removed {
				return cmp.Or(err, drivers.ErrRemoved)
			}
		}
		if err := m.write(ctx, s, &at); !session.Overtaken(err) {
			if err == nil && !at.present && s != m.session {
				m.driver.expirations.Add(1)
			}
			return err
		}
	}
}

// removedOnPurpose says whether the record was removed by somebody who left the rest alone. Where the directory that it
// was in is gone, or is another one by now, the servers have lost their data, and every member has to put itself back.
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

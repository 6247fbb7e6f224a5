package zk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// Join implements drivers.Joiner. Each membership has a session and a connection of its own, as the process that it
// stands for would have; it costs about 90 KiB and five goroutines.
//
// A name that a process of this machine holds is taken over if that process is dead, without anybody seeing it vacant,
// and refused if it lives. If the holder can't be judged, because it is on another machine or in another container or is
// a foreign client, Join waits for as long as a dead one's session may last, and refuses the name if it is still held.
func (d *Driver) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	doing := fmt.Sprintf("joining %s as %s", req.Group, req.Name)
	if err := errors.Join(d.writable(), checkNames(req.Group, req.Name)); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	m := &membership{
		driver: d, dialer: d.dialer, group: req.Group, seat: d.paths.seat(req.Group, req.Name),
		logger:  d.logger.With("group", req.Group, "member", req.Name),
		self:    record{ID: rand.Text(), JoinedAt: time.Now().UTC(), Process: d.process, Binary: req.Binary},
		pauses:  session.Backoff{Limit: d.pauseLimit()},
		event:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
		done:    make(chan struct{}),
	}
	m.dialer.Options.OnWatch = m.onNode
	if err := d.enter(); err != nil {
		return nil, session.Unavailable(doing, err)
	}
	defer d.leave()
	ctx, unbind := d.bounded(ctx)
	defer unbind()
	s, err := m.acquire(ctx, m.take)
	switch {
	case errors.Is(err, drivers.ErrNameTaken):
		return nil, fmt.Errorf("%s: %w", doing, err)
	case err != nil:
		return nil, session.Unavailable(doing, err)
	}
	m.start(s)
	if err := d.register(m); err != nil {
		m.Abandon()
		return nil, session.Unavailable(doing, err)
	}
	return m, nil
}

// bounded gives a context that ends with ctx and with the driver.
func (d *Driver) bounded(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.ctx, func() { cancel(session.ErrClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// acquire makes a session in which settle succeeds. Sessions that are lost are replaced until ctx ends; any other failure
// of settle is final.
func (m *membership) acquire(ctx context.Context, settle func(context.Context, *session.Session) error) (*session.Session, error) {
	var warned sync.Once
	seen := session.NewFailures(m.dialer.Servers, func(err error, all bool) {
		if all {
			warned.Do(func() { m.logger.Warn("no ZooKeeper session yet, trying on", "err", err) })
		}
	})
	for {
		s, err := m.dialer.Dial(ctx, seen)
		if err != nil {
			return nil, err
		}
		m.driver.connected()
		if err = settle(ctx, s); err == nil {
			return s, nil
		}
		s.Close()
		if !session.Lost(err) || !m.pauses.Pause(ctx) {
			return nil, err
		}
	}
}

// take makes the name this membership's, if it may have it.
func (m *membership) take(ctx context.Context, s *session.Session) error {
	for {
		at, err := inspect(ctx, s, m.seat)
		if err != nil {
			return err
		}
		if at.present && !at.ours(m.self.ID) {
			free, err := m.judge(&at)
			if err != nil {
				return err
			}
			if !free {
				if err := m.waitForChange(ctx, s, time.Until(m.giveUp)); err != nil {
					return err
				}
				continue
			}
		}
		err = m.write(ctx, s, &at)
		if err != nil && !session.Overtaken(err) && !at.rostered {
			m.undo(s)
		}
		if !session.Overtaken(err) {
			return err
		}
	}
}

// judge says whether a name that another membership holds is free to be taken over. If that can't be known yet it is not,
// and giveUp is when to ask for the last time. The error says who holds it for good.
func (m *membership) judge(at *place) (free bool, err error) {
	held := at.heldBy()
	if at.stat.EphemeralOwner == 0 {
		return false, held
	}
	if at.known {
		if m.driver.wasAbandoned(at.holder.ID) {
			return true, nil
		}
		switch m.driver.process.fateOf(at.holder.Process) {
		case gone:
			return true, nil
		case alive:
			return false, held
		case unknown: // The session's end will tell.
		}
	}
	if m.giveUp.IsZero() {
		m.giveUp = time.Now().Add(at.patience(time.Duration(m.driver.config.SessionTimeout)))
	}
	if time.Now().After(m.giveUp) {
		return false, held
	}
	return false, nil
}

// waitForChange waits until the member's znode changes, at most for the given time.
func (m *membership) waitForChange(ctx context.Context, s *session.Session, atMost time.Duration) error {
	if _, err := m.watch(ctx, s); err != nil {
		return err
	}
	timer := time.NewTimer(max(atMost, session.FirstWait))
	defer timer.Stop()
	select {
	case <-m.event:
	case <-timer.C:
	case <-s.Done():
		return s.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// write makes the ephemeral znode and the record, in place of those found, in one transaction, and the group where there
// is none. If somebody else changes what was found, the error is one that overtaken knows.
func (m *membership) write(ctx context.Context, s *session.Session, at *place) error {
	ops, err := m.requests(s, at)
	if err != nil {
		return err
	}
	err = s.Transact(ctx, ops)
	if errors.Is(err, zkclient.ErrNoNode) && !at.present {
		if err := m.driver.ensureGroup(ctx, s, m.group); err != nil {
			return err
		}
		err = s.Transact(ctx, ops)
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", m.seat.node, err)
	}
	stat, err := s.Stat(ctx, m.driver.paths.rosterGroup(m.group))
	if err != nil {
		return fmt.Errorf("looking for the group's roster: %w", err)
	}
	m.rosterCzxid = stat.Czxid
	return nil
}

// requests gives what write has to do.
func (m *membership) requests(s *session.Session, at *place) ([]any, error) {
	m.self.SessionTimeout = drivers.Duration(s.Timeout)
	data, err := m.self.encode()
	if err != nil {
		return nil, err
	}
	acl := m.driver.acl
	var ops []any
	if at.rostered {
		ops = append(ops, &zkclient.SetDataRequest{Path: m.seat.record, Data: data, Version: at.recordVersion})
	} else {
		ops = append(ops, &zkclient.CreateRequest{Path: m.seat.record, Data: data, Acl: acl, Flags: zkclient.FlagPersistent})
	}
	if at.present {
		ops = append(ops, &zkclient.DeleteRequest{Path: m.seat.node, Version: at.stat.Version})
	}
	return append(ops, &zkclient.CreateRequest{Path: m.seat.node, Data: data, Acl: acl, Flags: zkclient.FlagEphemeral}), nil
}

// undoTime bounds undo.
const undoTime = time.Second

// undo removes what a transaction of unknown outcome may have written, so that a member that never was is not taken for
// dead.
func (m *membership) undo(s *session.Session) {
	ctx, cancel := context.WithTimeout(m.driver.ctx, undoTime)
	defer cancel()
	if err := m.conclude(ctx, s, m.removeBoth); err != nil {
		m.logger.Warn("can't undo a join that failed", "err", err)
	}
}

// ensureGroup makes the persistent znodes above a member's, with the values that Nova's had.
func (d *Driver) ensureGroup(ctx context.Context, s *session.Session, group string) error {
	if err := d.ensure(ctx, s, d.paths.group(group), membersValue); err != nil {
		return err
	}
	return d.ensure(ctx, s, d.paths.rosterGroup(group), "")
}

// ensure makes a persistent znode and, with empty values, those above it, unless they are there.
func (d *Driver) ensure(ctx context.Context, s *session.Session, znode, value string) error {
	_, err := s.Stat(ctx, znode)
	if err == nil {
		return nil
	}
	if !errors.Is(err, zkclient.ErrNoNode) {
		return fmt.Errorf("looking for %s: %w", znode, err)
	}
	if above := path.Dir(znode); above != "/" {
		if err := d.ensure(ctx, s, above, ""); err != nil {
			return err
		}
	}
	err = s.Create(ctx, znode, []byte(value), zkclient.FlagPersistent, d.acl)
	if err != nil && !errors.Is(err, zkclient.ErrNodeExists) {
		return fmt.Errorf("creating %s: %w", znode, err)
	}
	return nil
}

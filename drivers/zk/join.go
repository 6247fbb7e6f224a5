package zk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"sync"
	"syscall"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// Join implements drivers.Joiner. Each membership has a session and a connection of its own, as the process that it stands
// for would have. It uses about 90 KiB and five goroutines.
//
// If a process of this machine has the name, Join refuses it while the process runs. Once the process has ended, Join takes
// the name over by one transaction, so that no client sees it free. If Join can't tell whether the owner runs, because it
// is on another machine, in another container or another program, Join waits for as long as the session of a dead owner may
// last, and then refuses the name if the znode still exists.
func (d *Driver) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	ctx = drivers.Limited(ctx)
	doing := fmt.Sprintf("joining %s as %s", req.Group, req.Name)
	if err := errors.Join(d.checkWritable(), checkNames(req.Group, req.Name)); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	m := &membership{
		driver: d, dialer: d.dialer, group: req.Group, paths: d.paths.ofMember(req.Group, req.Name),
		logger:  d.logger.With("group", req.Group, "member", req.Name),
		record:  record{ID: rand.Text(), JoinedAt: time.Now().UTC(), Process: d.process, Binary: req.Binary},
		pauses:  session.Backoff{Limit: d.maxPause()},
		event:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
		done:    make(chan struct{}),
	}
	m.dialer.Options.OnWatch = m.onWatch
	if err := d.beginCall(); err != nil {
		return nil, session.Unavailable(doing, err)
	}
	defer d.endCall()
	ctx, stop := drivers.WithLife(ctx, d.ctx)
	defer stop()
	s, err := m.dial(ctx, m.claimName)
	switch {
	case errors.Is(err, drivers.ErrNameTaken):
		return nil, fmt.Errorf("%s: %w", doing, err)
	case err != nil:
		return nil, session.Unavailable(doing, d.explainLimit(err))
	}
	m.start(s)
	if err := d.register(m); err != nil {
		m.Abandon()
		return nil, session.Unavailable(doing, err)
	}
	return m, nil
}

// explainLimit adds why no server gives another session, if members of this driver have sessions.
func (d *Driver) explainLimit(err error) error {
	d.mu.Lock()
	joined := len(d.joined)
	d.mu.Unlock()
	// A server that closes a connection at once may do so before the kernel reports that it is made.
	closed := errors.Is(err, session.ErrNoSession) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
	if joined == 0 || !closed {
		return err
	}
	return fmt.Errorf("%w. This process already has a connection for each of %d members: the servers' limit for connections of one host "+
		"is probably reached. Raise maxClientCnxns in zoo.cfg (60 by default, 0: no limit), or let fewer members join from this host", err, joined)
}

// dial makes a session and calls use in it. It makes another session if that one is lost, until ctx ends; any other error
// of use is final.
func (m *membership) dial(ctx context.Context, use func(context.Context, *session.Session) error) (*session.Session, error) {
	var warned sync.Once
	failures := session.NewFailures(m.dialer.Servers, func(err error, all bool) {
		if all {
			warned.Do(func() { m.logger.Warn("Can't make a ZooKeeper session yet, trying again", "err", err) })
		}
	})
	for {
		s, err := m.dialer.Dial(ctx, failures)
		if err != nil {
			return nil, err
		}
		m.driver.connections.Add(1)
		if err = use(ctx, s); err == nil {
			return s, nil
		}
		s.Close()
		if !session.Lost(err) || !m.pauses.Pause(ctx) {
			return nil, err
		}
	}
}

// claimName creates the member's znodes if the name is free or can be taken over.
func (m *membership) claimName(ctx context.Context, s *session.Session) error {
	for {
		state, err := inspect(ctx, s, m.paths)
		if err != nil {
			return err
		}
		if state.present && !state.ownedBy(m.record.ID) {
			free, err := m.checkOwner(&state)
			if err != nil {
				return err
			}
			if !free {
				if err := m.waitForChange(ctx, s, time.Until(m.waitUntil)); err != nil {
					return err
				}
				continue
			}
		}
		err = m.write(ctx, s, &state)
		if err != nil && !session.IsConflict(err) && !state.rostered {
			m.undo(s)
		}
		if !session.IsConflict(err) {
			return err
		}
	}
}

// checkOwner returns whether a name that another membership has can be taken over. If that is not known yet, it returns
// false and sets waitUntil. If the owner runs, it returns an error that names it.
func (m *membership) checkOwner(state *memberState) (free bool, err error) {
	taken := state.nameTaken()
	if state.stat.EphemeralOwner == 0 {
		return false, taken
	}
	if state.isRecord {
		if m.driver.wasAbandoned(state.owner.ID) {
			return true, nil
		}
		switch m.driver.process.stateOf(state.owner.Process) {
		case processEnded:
			return true, nil
		case processRuns:
			return false, taken
		case processUnknown: // If the process has ended, its session will expire.
		}
	}
	if m.waitUntil.IsZero() {
		m.waitUntil = time.Now().Add(state.expiry(time.Duration(m.driver.config.SessionTimeout)))
	}
	if time.Now().After(m.waitUntil) {
		return false, taken
	}
	return false, nil
}

// waitForChange waits until the member's znode changes, for at most the given time.
func (m *membership) waitForChange(ctx context.Context, s *session.Session, atMost time.Duration) error {
	if _, err := m.watchOwner(ctx, s); err != nil {
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
		return fmt.Errorf("waiting for the end of the session that has %s: %w", m.paths.node, drivers.NoAnswer(ctx, ctx.Err()))
	}
	return nil
}

// write creates the member's znode and its record, in place of those in state, by one transaction. It creates the group if
// there is none. If another client has changed the znodes since state was read, session.IsConflict is true for the error.
func (m *membership) write(ctx context.Context, s *session.Session, state *memberState) error {
	ops, err := m.writeOps(s, state)
	if err != nil {
		return err
	}
	err = s.Transact(ctx, ops)
	if errors.Is(err, zkclient.ErrNoNode) && !state.present {
		if err := m.driver.createGroup(ctx, s, m.group); err != nil {
			return err
		}
		err = s.Transact(ctx, ops)
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", m.paths.node, err)
	}
	stat, err := s.Stat(ctx, m.driver.paths.rosterGroup(m.group))
	if err != nil {
		return fmt.Errorf("looking for the group's roster: %w", err)
	}
	m.rosterCzxid, m.rosterCtime = stat.Czxid, stat.Ctime
	return nil
}

// writeOps returns the requests of write's transaction.
func (m *membership) writeOps(s *session.Session, state *memberState) ([]any, error) {
	m.record.SessionTimeout = drivers.Duration(s.Timeout)
	data, err := m.record.encode()
	if err != nil {
		return nil, err
	}
	acl := m.driver.acl
	var ops []any
	if state.rostered {
		ops = append(ops, &zkclient.SetDataRequest{Path: m.paths.record, Data: data, Version: state.recordVersion})
	} else {
		ops = append(ops, &zkclient.CreateRequest{Path: m.paths.record, Data: data, Acl: acl, Flags: zkclient.FlagPersistent})
	}
	if state.present {
		ops = append(ops, &zkclient.DeleteRequest{Path: m.paths.node, Version: state.stat.Version})
	}
	return append(ops, &zkclient.CreateRequest{Path: m.paths.node, Data: data, Acl: acl, Flags: zkclient.FlagEphemeral}), nil
}

// undoTimeout bounds undo.
const undoTimeout = time.Second

// undo deletes what a transaction may have written if its outcome is not known. Otherwise the record would show a dead
// member that never joined.
func (m *membership) undo(s *session.Session) {
	ctx, cancel := context.WithTimeout(m.driver.ctx, undoTimeout)
	defer cancel()
	if err := m.transact(ctx, s, m.deleteBoth); err != nil {
		m.logger.Warn("Can't undo a failed join", "err", err)
	}
}

// createGroup creates the persistent znodes above a member's, with the data that Nova's have.
func (d *Driver) createGroup(ctx context.Context, s *session.Session, group string) error {
	if err := d.createAll(ctx, s, d.paths.group(group), membersValue); err != nil {
		return err
	}
	return d.createAll(ctx, s, d.paths.rosterGroup(group), "")
}

// createAll creates a persistent znode, and those above it with empty data, unless they exist.
func (d *Driver) createAll(ctx context.Context, s *session.Session, znode, data string) error {
	_, err := s.Stat(ctx, znode)
	if err == nil {
		return nil
	}
	if !errors.Is(err, zkclient.ErrNoNode) {
		return fmt.Errorf("looking for %s: %w", znode, err)
	}
	if above := path.Dir(znode); above != "/" {
		if err := d.createAll(ctx, s, above, ""); err != nil {
			return err
		}
	}
	err = s.Create(ctx, znode, []byte(data), zkclient.FlagPersistent, d.acl)
	if err != nil && !errors.Is(err, zkclient.ErrNodeExists) {
		return fmt.Errorf("creating %s: %w", znode, err)
	}
	return nil
}

package zk

import (
	"context"
	"errors"
	"fmt"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// A memberState is what was found at a member's two paths.
type memberState struct {
	paths memberPaths

	present  bool          // the member's znode exists
	stat     zkclient.Stat // of that znode
	data     []byte        // of that znode; nil if it is too long for a record
	isRecord bool          // the data is a record: a process of this program has the name
	owner    record        // the record in the data

	rostered      bool   // the record in the roster exists
	record        record // that record; zero if it can't be decoded
	recordVersion int32
}

// inspect reads both znodes of a member. It reads the record first: every membership of this program that takes the name
// writes the record, so a transaction that requires the record's version fails if another membership has taken the name
// since.
func inspect(ctx context.Context, s *session.Session, paths memberPaths) (memberState, error) {
	state := memberState{paths: paths}
	data, stat, err := readShort(ctx, s, paths.record)
	switch {
	case err == nil:
		state.rostered, state.recordVersion = true, stat.Version
		state.record, _ = decodeRecord(data) // A damaged record is replaced.
	case !errors.Is(err, zkclient.ErrNoNode):
		return memberState{}, fmt.Errorf("reading %s: %w", paths.record, err)
	}
	state.data, state.stat, err = readShort(ctx, s, paths.node)
	if errors.Is(err, zkclient.ErrNoNode) {
		return state, nil
	}
	if err != nil {
		return memberState{}, fmt.Errorf("reading %s: %w", paths.node, err)
	}
	state.present = true
	if owner, err := decodeRecord(state.data); err == nil {
		state.owner, state.isRecord = owner, true
	}
	return state, nil
}

// readShort reads a znode. It leaves out data that is too long for a record.
func readShort(ctx context.Context, s *session.Session, path string) ([]byte, zkclient.Stat, error) {
	stat, err := s.Stat(ctx, path)
	if err != nil || stat.DataLength > maxRecord {
		return nil, stat, err
	}
	return s.Get(ctx, path)
}

// ownedBy reports whether the member's znode is that of the membership with this id, in whatever session.
func (m *memberState) ownedBy(id string) bool { return m.present && m.isRecord && m.owner.ID == id }

// nameTaken returns the error that says which process has the name.
func (m *memberState) nameTaken() error {
	switch {
	case m.stat.EphemeralOwner == 0:
		return fmt.Errorf("%s is a persistent znode, so it can't be replaced: %w", m.paths.node, drivers.ErrNameTaken)
	case m.isRecord:
		return fmt.Errorf("%s belongs to %v since %s: %w", m.paths.node, m.owner.Process,
			m.owner.JoinedAt.Format(time.RFC3339), drivers.ErrNameTaken)
	default:
		return fmt.Errorf("%s belongs to session %#x, which wrote %.40q, since %s: %w", m.paths.node, m.stat.EphemeralOwner,
			m.data, time.UnixMilli(m.stat.Ctime).UTC().Format(time.RFC3339), drivers.ErrNameTaken)
	}
}

// serverTick is ZooKeeper's default tickTime. A server lets sessions expire once a tick.
const serverTick = 2 * time.Second

// expiry returns how long the member's znode may exist after its owner has died: the owner's session timeout, or the given
// one if the owner's is not known, and the time until the server acts.
func (m *memberState) expiry(timeout time.Duration) time.Duration {
	if m.isRecord && m.owner.SessionTimeout > 0 {
		timeout = time.Duration(m.owner.SessionTimeout)
	}
	return timeout + serverTick
}

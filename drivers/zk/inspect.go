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

// A place is what is at a member's two paths: the ephemeral znode and the record.
type place struct {
	seat

	present bool
	stat    zkclient.Stat // of the ephemeral znode
	value   []byte        // of it, nil where it is too long for a member's
	holder  record        // what the value says
	known   bool          // the holder is one of ours: the value is a record

	rostered      bool
	said          record // what the record says, zero where it is damaged
	recordVersion int32
}

// inspect looks at a member's place. The record comes first: every one of ours who takes a name writes it, so that a
// transaction that insists on the record's version fails if the node has changed hands since.
func inspect(ctx context.Context, s *session.Session, seat seat) (place, error) {
	at := place{seat: seat}
	data, stat, err := read(ctx, s, seat.record)
	switch {
	case err == nil:
		at.rostered, at.recordVersion = true, stat.Version
		at.said, _ = decodeRecord(data) // A damaged one says nothing, and is replaced.
	case !errors.Is(err, zkclient.ErrNoNode):
		return place{}, fmt.Errorf("reading %s: %w", seat.record, err)
	}
	at.value, at.stat, err = read(ctx, s, seat.node)
	if errors.Is(err, zkclient.ErrNoNode) {
		return at, nil
	}
	if err != nil {
		return place{}, fmt.Errorf("reading %s: %w", seat.node, err)
	}
	at.present = true
	if holder, err := decodeRecord(at.value); err == nil {
		at.holder, at.known = holder, true
	}
	return at, nil
}

// read gives a znode's value and numbers, without the value if that is too long to be a record.
func read(ctx context.Context, s *session.Session, path string) ([]byte, zkclient.Stat, error) {
	stat, err := s.Stat(ctx, path)
	if err != nil || stat.DataLength > maxRecord {
		return nil, stat, err
	}
	return s.Get(ctx, path)
}

// ours says whether the node is that of the membership with this id, in whatever session it was made.
func (at *place) ours(id string) bool { return at.present && at.known && at.holder.ID == id }

// heldBy gives the error that says who holds the name.
func (at *place) heldBy() error {
	switch {
	case at.stat.EphemeralOwner == 0:
		return fmt.Errorf("%s is a persistent znode, not a member that could be replaced: %w", at.node, drivers.ErrNameTaken)
	case at.known:
		return fmt.Errorf("%s is held by %v since %s: %w", at.node, at.holder.Process,
			at.holder.JoinedAt.Format(time.RFC3339), drivers.ErrNameTaken)
	default:
		return fmt.Errorf("%s is held by session %#x, which wrote %.40q, since %s: %w", at.node, at.stat.EphemeralOwner,
			at.value, time.UnixMilli(at.stat.Ctime).UTC().Format(time.RFC3339), drivers.ErrNameTaken)
	}
}

// patience is how long the holder may be there although it is dead: its session timeout, or ours where it does not say,
// and the time that the server takes to notice, which acts once a tick.
func (at *place) patience(ours time.Duration) time.Duration {
	if at.known && at.holder.SessionTimeout > 0 {
		ours = min(time.Duration(at.holder.SessionTimeout), maxSessionTimeout)
	}
	return ours + serverTick
}

// serverTick is ZooKeeper's default tickTime.
const serverTick = 2 * time.Second

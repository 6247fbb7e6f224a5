package zk

import (
	"context"
	"errors"
	"fmt"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

// A place is what is at a member's two paths: the ephemeral znode and the record.
type place struct {
	present bool
	node    zkclient.Stat
	value   []byte // of the node, nil where it is too long for a member's
	holder  record // what the value says
	known   bool   // the holder is one of ours: the value is a record

	rostered      bool
	record        record // zero where it is damaged
	recordVersion int32
}

// inspect looks at a member's place. The record comes first: every one of ours who takes a name writes it, so that a
// transaction that insists on the record's version fails if the node has changed hands since.
func inspect(ctx context.Context, s *session, p paths, group, name string) (place, error) {
	var at place
	data, stat, err := read(ctx, s, p.record(group, name))
	switch {
	case err == nil:
		at.rostered, at.recordVersion = true, stat.Version
		at.record, _ = decodeRecord(data) // A damaged one says nothing, and is replaced.
	case !errors.Is(err, zkclient.ErrNoNode):
		return place{}, fmt.Errorf("reading %s: %w", p.record(group, name), err)
	}
	at.value, at.node, err = read(ctx, s, p.member(group, name))
	if errors.Is(err, zkclient.ErrNoNode) {
		return at, nil
	}
	if err != nil {
		return place{}, fmt.Errorf("reading %s: %w", p.member(group, name), err)
	}
	at.present = true
	if holder, err := decodeRecord(at.value); err == nil {
		at.holder, at.known = holder, true
	}
	return at, nil
}

// read gives a znode's value and numbers, without the value if that is too long to be a record.
func read(ctx context.Context, s *session, path string) ([]byte, zkclient.Stat, error) {
	stat, err := statOf(ctx, s, path)
	if err != nil || stat.DataLength > maxRecord {
		return nil, stat, err
	}
	type both struct {
		value []byte
		stat  zkclient.Stat
	}
	b, err := call(ctx, s, func(c *zkclient.Conn) (both, error) {
		value, stat, err := c.Get(path)
		if err != nil {
			return both{}, err
		}
		return both{value, *stat}, nil
	})
	return b.value, b.stat, err
}

// ours says whether the node is that of the membership with this id, in whatever session it was made.
func (at *place) ours(id string) bool { return at.present && at.known && at.holder.ID == id }

// heldBy gives the error that says who holds the name.
func (at *place) heldBy(path string) error {
	switch {
	case at.node.EphemeralOwner == 0:
		return fmt.Errorf("%s is a persistent znode, not a member that could be replaced: %w", path, drivers.ErrHeld)
	case at.known:
		return fmt.Errorf("%s is held by %v since %s: %w", path, at.holder.Process,
			at.holder.JoinedAt.Format(time.RFC3339), drivers.ErrHeld)
	default:
		return fmt.Errorf("%s is held by session %#x, which wrote %.40q, since %s: %w", path, at.node.EphemeralOwner,
			at.value, time.UnixMilli(at.node.Ctime).UTC().Format(time.RFC3339), drivers.ErrHeld)
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

// transact runs requests of which either all or none take effect.
func transact(ctx context.Context, s *session, ops []any) error {
	_, err := call(ctx, s, func(c *zkclient.Conn) (struct{}, error) {
		_, err := c.Multi(ops...)
		return struct{}{}, err
	})
	return err
}

// overtaken says whether a transaction failed because somebody else changed what it relied on: look again.
func overtaken(err error) bool {
	return errors.Is(err, zkclient.ErrNodeExists) || errors.Is(err, zkclient.ErrNoNode) ||
		errors.Is(err, zkclient.ErrBadVersion)
}

// ensureGroup makes the persistent znodes above a member's, with the values that Nova's had.
func ensureGroup(ctx context.Context, s *session, p paths, group string, acl []zkclient.ACL) error {
	if err := ensure(ctx, s, p.group(group), membersValue, acl); err != nil {
		return err
	}
	return ensure(ctx, s, p.rosterGroup(group), "", acl)
}

// ensure makes a persistent znode and, with empty values, those above it, unless they are there.
func ensure(ctx context.Context, s *session, path, value string, acl []zkclient.ACL) error {
	_, err := statOf(ctx, s, path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, zkclient.ErrNoNode) {
		return fmt.Errorf("looking for %s: %w", path, err)
	}
	if above := parent(path); above != "" {
		if err := ensure(ctx, s, above, "", acl); err != nil {
			return err
		}
	}
	_, err = call(ctx, s, func(c *zkclient.Conn) (string, error) {
		return c.Create(path, []byte(value), zkclient.FlagPersistent, acl)
	})
	if err != nil && !errors.Is(err, zkclient.ErrNodeExists) {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	return nil
}

package zk

import (
	"context"
	"errors"
	"fmt"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// Leave implements drivers.Joiner. It removes a nested member only if that is down: while the member has children, its
// processes would create it again.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	ctx = drivers.Limited(ctx)
	doing := fmt.Sprintf("removing %s from %s", name, group)
	if err := errors.Join(d.checkWritable(), checkNames(group, name)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	for {
		r, err := d.reader().Acquire(ctx)
		if err != nil {
			return session.Unavailable(doing, err)
		}
		var state memberState
		if err = d.dialer.Reauthenticate(ctx, r.Session); err == nil {
			state, err = inspect(ctx, r.Session, d.paths.ofMember(group, name))
		}
		if err != nil && !session.Lost(err) {
			return session.Unavailable(doing, err)
		}
		if session.Lost(err) {
			continue
		}
		ops, err := removalOps(&state)
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		err = r.Session.Transact(ctx, ops)
		switch {
		case err == nil:
			return nil
		case !session.Lost(err) && !session.IsConflict(err):
			return session.Unavailable(doing, err)
		}
	}
}

// removalOps returns the requests that remove a member.
func removalOps(state *memberState) ([]any, error) {
	var ops []any
	if state.rostered {
		ops = append(ops, &zkclient.DeleteRequest{Path: state.paths.record, Version: state.recordVersion})
	}
	persistent := state.present && state.stat.EphemeralOwner == 0
	switch {
	case persistent && string(state.data) != membersValue: // The znode is not a member.
	case persistent && state.stat.NumChildren > 0:
		return nil, fmt.Errorf("%s has %d processes: %w", state.paths.node, state.stat.NumChildren, drivers.ErrNameTaken)
	case state.present:
		ops = append(ops, &zkclient.DeleteRequest{Path: state.paths.node, Version: state.stat.Version})
	}
	if len(ops) == 0 {
		return nil, drivers.ErrNoMember
	}
	return ops, nil
}

// RemoveGroup implements drivers.Remover.
func (d *Driver) RemoveGroup(ctx context.Context, group string) error {
	ctx = drivers.Limited(ctx)
	doing := "removing the group " + group
	if err := errors.Join(d.checkWritable(), checkGroup(group)); err != nil {
		return err
	}
	for {
		r, err := d.reader().Acquire(ctx)
		if err != nil {
			return session.Unavailable(doing, err)
		}
		for _, path := range []string{d.paths.group(group), d.paths.rosterGroup(group)} {
			if err = r.Session.Delete(ctx, path); err != nil && !errors.Is(err, zkclient.ErrNoNode) {
				break
			}
			err = nil
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, zkclient.ErrNotEmpty):
			return fmt.Errorf("%s: it has members: %w", doing, drivers.ErrNameTaken)
		case !session.Lost(err):
			return session.Unavailable(doing, err)
		}
	}
}

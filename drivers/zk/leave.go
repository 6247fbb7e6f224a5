package zk

import (
	"context"
	"errors"
	"fmt"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// Leave implements drivers.Joiner. A nested member can be removed when it is down: as long as it has children, there are
// processes that would put them back.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	doing := fmt.Sprintf("removing %s from %s", name, group)
	if err := errors.Join(d.writable(), checkNames(group, name)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	for {
		r, err := d.reader().Acquire(ctx)
		if err != nil {
			return session.Unavailable(doing, err)
		}
		var at place
		if err = d.dialer.Reauthenticate(ctx, r.Session); err == nil {
			at, err = inspect(ctx, r.Session, d.paths.seat(group, name))
		}
		if err != nil && !session.Lost(err) {
			return session.Unavailable(doing, err)
		}
		if session.Lost(err) {
			continue
		}
		ops, err := removal(&at)
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		err = r.Session.Transact(ctx, ops)
		switch {
		case err == nil:
			return nil
		case !session.Lost(err) && !session.Overtaken(err):
			return session.Unavailable(doing, err)
		}
	}
}

// removal gives what removes a member.
func removal(at *place) ([]any, error) {
	var ops []any
	if at.rostered {
		ops = append(ops, &zkclient.DeleteRequest{Path: at.record, Version: at.recordVersion})
	}
	nested := at.present && at.stat.EphemeralOwner == 0
	switch {
	case nested && string(at.value) != membersValue: // Bookkeeping, not a member.
	case nested && at.stat.NumChildren > 0:
		return nil, fmt.Errorf("%d processes are in %s: %w", at.stat.NumChildren, at.node, drivers.ErrNameTaken)
	case at.present:
		ops = append(ops, &zkclient.DeleteRequest{Path: at.node, Version: at.stat.Version})
	}
	if len(ops) == 0 {
		return nil, drivers.ErrNoMember
	}
	return ops, nil
}

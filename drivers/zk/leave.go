package zk

import (
	"context"
	"errors"
	"fmt"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

// Leave implements drivers.Joiner. A nested member can be removed when it is down: as long as it has children, there are
// processes that would put them back.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	doing := fmt.Sprintf("removing %s from %s", name, group)
	if err := errors.Join(d.writable(), checkNames(group, name)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	for {
		r, err := d.reader().acquire(ctx)
		if err != nil {
			return unavailable(doing, err)
		}
		var at place
		if err = d.dialer.reauthenticate(ctx, r.session); err == nil {
			at, err = inspect(ctx, r.session, d.paths.seat(group, name))
		}
		if err != nil && !lost(err) {
			return unavailable(doing, err)
		}
		if lost(err) {
			continue
		}
		ops, err := removal(&at)
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		err = transact(ctx, r.session, ops)
		switch {
		case err == nil:
			return nil
		case !lost(err) && !overtaken(err):
			return unavailable(doing, err)
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

package zk

import (
	"context"
	"errors"
	"fmt"

	zkclient "github.com/go-zookeeper/zk"
)

// transact runs requests of which either all or none take effect.
func transact(ctx context.Context, s *session, ops []any) error {
	_, err := call(ctx, s, func(c *zkclient.Conn) (struct{}, error) {
		results, err := c.Multi(ops...)
		for i, result := range results {
			if result.Error != nil && i < len(ops) {
				err = deniedOp(err, ops[i]) // The first one that failed; all others are as if they had not been asked for.
				break
			}
		}
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
func (d *Driver) ensureGroup(ctx context.Context, s *session, group string) error {
	if err := d.ensure(ctx, s, d.paths.group(group), membersValue); err != nil {
		return err
	}
	return d.ensure(ctx, s, d.paths.rosterGroup(group), "")
}

// ensure makes a persistent znode and, with empty values, those above it, unless they are there.
func (d *Driver) ensure(ctx context.Context, s *session, path, value string) error {
	_, err := statOf(ctx, s, path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, zkclient.ErrNoNode) {
		return fmt.Errorf("looking for %s: %w", path, err)
	}
	if above := parent(path); above != "" {
		if err := d.ensure(ctx, s, above, ""); err != nil {
			return err
		}
	}
	_, err = call(ctx, s, func(c *zkclient.Conn) (string, error) {
		created, err := c.Create(path, []byte(value), zkclient.FlagPersistent, d.dialer.acl)
		return created, denied(err, "CREATE", parent(path))
	})
	if err != nil && !errors.Is(err, zkclient.ErrNodeExists) {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	return nil
}

package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// privateDir is the child of the prefix below which groups are nobody's but this program's: names that begin with a dot
// are never groups.
const privateDir = "/.private"

// Private gives the configuration of a place on the same servers that no other source reads, for members of one group:
// below the prefix, or below /servicegroups where the prefix belongs to another system.
func (c Config) Private(group string) Config {
	prefix := defaultPrefix
	if c.own() {
		prefix = cmp.Or(c.Prefix, defaultPrefix)
	}
	c.Prefix = strings.TrimSuffix(prefix, "/") + privateDir
	c.Layout, c.Custom, c.MemberTimeout = LayoutFlat, nil, 0
	c.Groups = []string{group}
	return c
}

// RemoveGroup implements drivers.Remover.
func (d *Driver) RemoveGroup(ctx context.Context, group string) error {
	doing := "removing the group " + group
	if err := errors.Join(d.writable(), checkGroup(group)); err != nil {
		return err
	}
	for {
		r, err := d.reader().Acquire(ctx)
		if err != nil {
			return session.Unavailable(doing, err)
		}
		for _, path := range []string{d.paths.group(group), d.paths.rosterGroup(group)} {
			_, err = session.Call(ctx, r.Session, func(c *zkclient.Conn) (struct{}, error) { return struct{}{}, c.Delete(path, -1) })
			if errors.Is(err, zkclient.ErrNoNode) {
				err = nil
			}
			if err != nil {
				break
			}
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

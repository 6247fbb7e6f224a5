package session

import (
	"context"
	"path"

	zkclient "github.com/go-zookeeper/zk"
)

// Sync waits until the server has caught up with the leader. A server that is cut off from the leader does not answer.
func (s *Session) Sync(ctx context.Context, name string) error {
	_, err := Call(ctx, s, func(c *zkclient.Conn) (string, error) { return c.Sync(name) })
	return err
}

// Get reads the data and the metadata of a znode.
func (s *Session) Get(ctx context.Context, name string) ([]byte, zkclient.Stat, error) {
	type result struct {
		data []byte
		stat zkclient.Stat
	}
	r, err := Call(ctx, s, func(c *zkclient.Conn) (result, error) {
		data, stat, err := c.Get(name)
		if err != nil {
			return result{}, withPermission(err, "READ", name)
		}
		return result{data, *stat}, nil
	})
	return r.data, r.stat, err
}

// Stat reads the metadata of a znode. For a znode that does not exist it returns zk.ErrNoNode.
func (s *Session) Stat(ctx context.Context, name string) (zkclient.Stat, error) {
	return Call(ctx, s, func(c *zkclient.Conn) (zkclient.Stat, error) {
		exists, stat, err := c.Exists(name)
		if err != nil {
			return zkclient.Stat{}, err
		}
		if !exists {
			return zkclient.Stat{}, zkclient.ErrNoNode
		}
		return *stat, nil
	})
}

// ACL reads the ACL of a znode.
func (s *Session) ACL(ctx context.Context, name string) ([]zkclient.ACL, error) {
	return Call(ctx, s, func(c *zkclient.Conn) ([]zkclient.ACL, error) {
		acl, _, err := c.GetACL(name)
		return acl, err
	})
}

// Create creates a znode.
func (s *Session) Create(ctx context.Context, name string, data []byte, flags int32, acl []zkclient.ACL) error {
	_, err := Call(ctx, s, func(c *zkclient.Conn) (string, error) {
		created, err := c.Create(name, data, flags, acl)
		return created, withPermission(err, "CREATE", path.Dir(name))
	})
	return err
}

// Delete deletes a znode, whatever its version is.
func (s *Session) Delete(ctx context.Context, name string) error {
	_, err := Call(ctx, s, func(c *zkclient.Conn) (struct{}, error) { return struct{}{}, c.Delete(name, -1) })
	return err
}

// Transact runs requests as one transaction: either all of them take effect or none.
func (s *Session) Transact(ctx context.Context, ops []any) error {
	_, err := Call(ctx, s, func(c *zkclient.Conn) (struct{}, error) {
		results, err := c.Multi(ops...)
		for i, result := range results {
			if result.Error != nil && i < len(ops) {
				err = withPermissionOf(err, ops[i]) // This is the request that failed; the others had no effect.
				break
			}
		}
		return struct{}{}, err
	})
	return err
}

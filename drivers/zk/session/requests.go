package session

import (
	"context"
	"errors"
	"path"

	zkclient "github.com/go-zookeeper/zk"
)

// Transact runs requests of which either all or none take effect.
func (s *Session) Transact(ctx context.Context, ops []any) error {
	_, err := Call(ctx, s, func(c *zkclient.Conn) (struct{}, error) {
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

// Overtaken says whether a transaction failed because somebody else changed what it relied on: look again.
func Overtaken(err error) bool {
	return errors.Is(err, zkclient.ErrNodeExists) || errors.Is(err, zkclient.ErrNoNode) ||
		errors.Is(err, zkclient.ErrBadVersion)
}

// Get reads a znode's data and metadata.
func (s *Session) Get(ctx context.Context, path string) ([]byte, zkclient.Stat, error) {
	type result struct {
		data []byte
		stat zkclient.Stat
	}
	r, err := Call(ctx, s, func(c *zkclient.Conn) (result, error) {
		data, stat, err := c.Get(path)
		if err != nil {
			return result{}, denied(err, "READ", path)
		}
		return result{data, *stat}, nil
	})
	return r.data, r.stat, err
}

// Stat reads a znode's metadata. A znode that does not exist is an error.
func (s *Session) Stat(ctx context.Context, path string) (zkclient.Stat, error) {
	return Call(ctx, s, func(c *zkclient.Conn) (zkclient.Stat, error) {
		exists, stat, err := c.Exists(path)
		if err != nil {
			return zkclient.Stat{}, err
		}
		if !exists {
			return zkclient.Stat{}, zkclient.ErrNoNode
		}
		return *stat, nil
	})
}

// Create makes a znode and returns its path.
func (s *Session) Create(ctx context.Context, name string, data []byte, flags int32, acl []zkclient.ACL) error {
	_, err := Call(ctx, s, func(c *zkclient.Conn) (string, error) {
		created, err := c.Create(name, data, flags, acl)
		return created, denied(err, "CREATE", path.Dir(name))
	})
	return err
}

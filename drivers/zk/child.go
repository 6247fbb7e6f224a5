package zk

import (
	"context"
	"errors"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers/zk/session"
)

// membersValue is the data that evzookeeper writes to znodes whose children are members.
const membersValue = "ZKMembers"

// A kind is what a group's child without a record in the roster is.
type kind uint8

const (
	kindOther   kind = iota // not a member
	kindFlat                // an ephemeral znode: a member that is up
	kindNested              // a persistent znode with the data "ZKMembers": a member that is up while it has a child
	kindOutside             // probably nested, which was not read because the configured layout has no nested members
)

// A deadRecord is the record of a member whose znode does not exist.
type deadRecord struct {
	record
	damaged bool // it can't be decoded, so only the member's death is known
}

// A child is one name in a group or its roster, during one poll.
type child struct {
	name     string
	rostered bool // it has a record
	present  bool // it is a child of the group's znode
	known    bool // the fields below are known

	kind      kind       // of a child that is present and not rostered
	czxid     int64      // the transaction that created a flat one
	recorded  bool       // it joined during the poll, and has a record by now
	watched   bool       // its own children and its data are watched
	populated bool       // it has children
	record    deadRecord // of a child that is rostered and not present
	gone      bool       // it was deleted during the poll
}

// read reads what is not known of the child.
func (c *child) read(ctx context.Context, r *groupReader, group string) error {
	path, read := r.paths.member(group, c.name), c.readKind
	if c.rostered {
		path, read = r.paths.record(group, c.name), c.readRecord
	} else if c.kind == kindNested {
		read = c.readNested
	}
	err := read(ctx, r, group, path)
	if errors.Is(err, zkclient.ErrNoNode) {
		c.gone, err = true, nil
	}
	if err != nil {
		return session.Unavailable("reading "+path, err)
	}
	c.known = true
	return nil
}

// readRecord reads the record of a dead member.
func (c *child) readRecord(ctx context.Context, r *groupReader, _, path string) error {
	data, err := r.Get(ctx, path)
	if err != nil {
		return err
	}
	c.record.record, err = decodeRecord(data)
	if c.record.damaged = err != nil; c.record.damaged {
		r.logger.Warn("Record in the roster is damaged", "path", path, "err", err)
	}
	return nil
}

// readKind finds out what a child without a record is.
func (c *child) readKind(ctx context.Context, r *groupReader, group, path string) error {
	stat, err := r.Stat(ctx, path)
	if err != nil {
		return err
	}
	if stat.EphemeralOwner != 0 {
		c.kind, c.czxid = kindFlat, stat.Czxid
		return nil
	}
	c.kind = kindOther
	if stat.DataLength != int32(len(membersValue)) {
		return nil
	}
	if !r.includes(kindNested) {
		c.kind = kindOutside
		return nil
	}
	return c.readNested(ctx, r, group, path)
}

// checkExists finds out whether a flat member was deleted since it was read.
func (c *child) checkExists(ctx context.Context, r *groupReader, group string) error {
	path := r.paths.member(group, c.name)
	stat, err := r.Stat(ctx, path)
	if err != nil && !errors.Is(err, zkclient.ErrNoNode) {
		return session.Unavailable("reading "+path, err)
	}
	c.gone = stat.Czxid != c.czxid
	return nil
}

// readNested finds out whether a persistent child is a nested member, and whether that is up.
func (c *child) readNested(ctx context.Context, r *groupReader, group, path string) error {
	inside, err := r.Dirs.ReadCached(ctx, path)
	if err != nil {
		return err
	}
	node, err := r.Nodes.Read(ctx, path, false)
	switch {
	case err != nil:
		return err
	case !node.Exists:
		return zkclient.ErrNoNode
	case node.Owner != 0: // An ephemeral znode has replaced it.
		return c.readKind(ctx, r, group, path)
	}
	c.setNested(inside, node)
	return nil
}

// setNested sets the fields of a persistent child from its own children and its znode. It returns false if these are not
// known or if the znode is not persistent.
func (c *child) setNested(inside *session.Listing, node *session.Node) bool {
	if inside == nil || !node.Exists || node.Owner != 0 {
		return false
	}
	c.watched, c.kind, c.populated = true, kindOther, len(inside.Names) > 0
	if node.Fields != nil {
		c.kind = kindNested
	}
	return true
}

// parseMembers is the ParseData of a session.Reader: it returns an empty map for the data of nested members, else nil.
func parseMembers(data []byte) map[string]string {
	if string(data) != membersValue {
		return nil
	}
	return map[string]string{}
}

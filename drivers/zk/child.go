package zk

import (
	"context"
	"errors"

	"servicegroup_exporter/drivers/zk/session"

	zkclient "github.com/go-zookeeper/zk"
)

// membersValue is the value that evzookeeper gives to nodes whose children are members.
const membersValue = "ZKMembers"

// A kind is what a child of a group is that has no record in the roster.
type kind uint8

const (
	kindOther  kind = iota // bookkeeping, not a member
	kindFlat               // ephemeral: a process holds it
	kindNested             // persistent, says "ZKMembers": up while it has a child
)

// A deadRecord is the record of a member that is not there.
type deadRecord struct {
	record
	damaged bool // it can't be decoded: only the member's death is known
}

// A child is one name in a group, in the course of a poll.
type child struct {
	name     string
	rostered bool // it has a record
	present  bool // the group's znode has it as a child
	known    bool // the rest is known

	kind      kind       // of a child that is present and not rostered
	czxid     int64      // the transaction that made a flat one
	recorded  bool       // it turned out to have a record after all: it joined meanwhile
	watched   bool       // its children and its value are watched
	populated bool       // it has children
	record    deadRecord // of a child that is rostered and not present
	gone      bool       // it was removed meanwhile
}

// look finds out what is not known of a child.
func (c *child) look(ctx context.Context, r *groupReader, group string) error {
	path, find := r.paths.member(group, c.name), c.classify
	if c.rostered {
		path, find = r.paths.record(group, c.name), c.readRecord
	} else if c.kind == kindNested {
		find = c.lookInside
	}
	err := find(ctx, r, group, path)
	if errors.Is(err, zkclient.ErrNoNode) {
		c.gone, err = true, nil
	}
	if err != nil {
		return session.Unavailable("reading "+path, err)
	}
	c.known = true
	return nil
}

// readRecord reads what a dead member said of itself.
func (c *child) readRecord(ctx context.Context, r *groupReader, _, path string) error {
	data, err := r.Get(ctx, path)
	if err != nil {
		return err
	}
	c.record.record, err = decodeRecord(data)
	if c.record.damaged = err != nil; c.record.damaged {
		r.logger.Warn("a record in the roster is damaged", "path", path, "err", err)
	}
	return nil
}

// classify finds out what a child without a record is.
func (c *child) classify(ctx context.Context, r *groupReader, group, path string) error {
	stat, err := r.Stat(ctx, path)
	if err != nil {
		return err
	}
	if stat.EphemeralOwner != 0 {
		c.kind, c.czxid = kindFlat, stat.Czxid
		return nil
	}
	c.kind = kindOther
	if stat.DataLength != int32(len(membersValue)) || !r.counts(kindNested) {
		return nil
	}
	return c.lookInside(ctx, r, group, path)
}

// stillThere finds out whether a flat member is gone since it was looked at.
func (c *child) stillThere(ctx context.Context, r *groupReader, group string) error {
	path := r.paths.member(group, c.name)
	stat, err := r.Stat(ctx, path)
	if err != nil && !errors.Is(err, zkclient.ErrNoNode) {
		return session.Unavailable("reading "+path, err)
	}
	c.gone = stat.Czxid != c.czxid
	return nil
}

// lookInside finds out whether a persistent child is a nested member and whether that is up.
func (c *child) lookInside(ctx context.Context, r *groupReader, group, path string) error {
	inside, err := r.Dirs.ReadCached(ctx, path)
	if err != nil {
		return err
	}
	self, err := r.Nodes.Read(ctx, path, false)
	switch {
	case err != nil:
		return err
	case !self.Exists:
		return zkclient.ErrNoNode
	case self.Owner != 0: // It is another znode by now.
		return c.classify(ctx, r, group, path)
	}
	c.isInside(inside, self)
	return nil
}

// isInside takes over what a persistent child has in it, if that is known.
func (c *child) isInside(inside *session.Listing, self *session.Node) bool {
	if inside == nil || !self.Exists || self.Owner != 0 {
		return false
	}
	c.watched, c.kind, c.populated = true, kindOther, len(inside.Names) > 0
	if self.Fields != nil {
		c.kind = kindNested
	}
	return true
}

// sayMembers says whether a znode's data is that of members.
func sayMembers(data []byte) map[string]string {
	if string(data) != membersValue {
		return nil
	}
	return map[string]string{}
}

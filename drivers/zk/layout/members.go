package layout

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// maxStableName bounds a name that comes from a znode's data, in bytes: it becomes a label.
const maxStableName = 256

// A leaf is a znode whose presence may say that a member is alive.
type leaf struct {
	room   *room
	znode  string
	path   string
	groups []string // of the expression that takes the stable name
	node   *session.Node
}

// A knownName is what a znode was called when its data could be read.
type knownName struct {
	czxid int64
	name  string
}

// found is what a poll found, sorted.
type found struct {
	members, unknown []drivers.Member
	rejected         []drivers.Rejection
}

// readLeaves reads the znodes of all who may be members. It never gives nil for success.
func (t *Tree) readLeaves(ctx context.Context, r *session.Reader, rooms []room) ([]leaf, error) {
	leaves := []leaf{}
	for i := range rooms {
		for _, znode := range rooms[i].list.Names {
			if groups := t.naming.groupsOf(znode); groups != nil {
				path := rooms[i].path + "/" + znode + rooms[i].tail
				leaves = append(leaves, leaf{room: &rooms[i], znode: znode, path: path, groups: groups})
			}
		}
	}
	todo := make([]*leaf, len(leaves))
	for i := range leaves {
		todo[i] = &leaves[i]
	}
	return leaves, session.Parallel(ctx, session.MaxInFlight/2, todo, func(ctx context.Context, l *leaf) (err error) {
		if l.node, err = r.Nodes.Read(ctx, l.path, l.room.tail != ""); err != nil {
			return session.Unavailable("reading "+l.path, err)
		}
		return nil
	})
}

// A presence is all that is known of one member: several znodes may have the same stable name for a while, the last
// one's of a process that has died and the first one's of that which has taken its place.
type presence struct {
	up, unknown, rostered bool
	enabled               drivers.Flag
	newest                int64 // whose word counts on enabled
}

// A census counts members.
type census struct {
	*Tree
	present  map[drivers.Key]*presence
	names    map[string]knownName
	rejected []drivers.Rejection
}

func (c *census) of(group, name string) *presence {
	key := drivers.Key{Group: group, Name: name}
	if c.present[key] == nil {
		c.present[key] = &presence{}
	}
	return c.present[key]
}

func (c *census) reject(group, name, reason string) {
	c.rejected = append(c.rejected, drivers.Rejection{Group: group, Name: name, Reason: reason})
}

// conclude gives the members among the leaves and in the roster.
func (t *Tree) conclude(ctx context.Context, r *session.Reader, leaves []leaf, roster []room) (found, error) {
	c := census{Tree: t, present: make(map[drivers.Key]*presence), names: make(map[string]knownName)}
	for i := range leaves {
		c.count(&leaves[i])
	}
	if missing := c.enrol(roster); len(missing) > 0 {
		again, err := newVisit(t, r).rooms(ctx, t.roster)
		if err != nil {
			return found{}, err
		}
		c.recheck(missing, roster, again)
	}
	t.names = c.names
	return c.result(), nil
}

// recheck judges those who are in the roster and not there, by what the roster says after that was read too. Where it has
// not changed, they were in it all the time, and are dead. Where it has, they may have left, or left and come back, which
// the next poll tells.
func (c *census) recheck(missing []drivers.Key, before, after []room) {
	steady := census{Tree: c.Tree, present: make(map[drivers.Key]*presence)}
	changed := census{Tree: c.Tree, present: make(map[drivers.Key]*presence)}
	rooms := make(map[string]room, len(before))
	for _, was := range before {
		rooms[was.path] = was
	}
	for _, now := range after {
		if was, there := rooms[now.path]; there && was.same(now) {
			steady.enrol([]room{now})
		} else {
			changed.enrol([]room{now})
		}
	}
	for _, key := range missing {
		switch {
		case steady.present[key] != nil:
		case changed.present[key] != nil:
			c.present[key].unknown = true
		default:
			delete(c.present, key)
		}
	}
}

// count notes one leaf.
func (c *census) count(l *leaf) {
	ephemeral := l.node.Owner != 0
	if !l.node.Exists || !ephemeral && !c.persistent {
		return
	}
	name, unreadable := c.call(l)
	if unreadable {
		c.reject(l.room.group, l.znode, "data")
	}
	if name == "" && unreadable {
		return
	}
	if !usable(name) || !usable(l.room.group) {
		c.reject(l.room.group, l.znode, "name")
		return
	}
	p := c.of(l.room.group, name)
	p.rostered = p.rostered || !ephemeral
	switch {
	case c.status == nil:
		p.up = true
	case unreadable:
		p.unknown = true
	default:
		p.up = p.up || c.status.holds(l.node.Fields)
	}
	if c.enabled != nil && !unreadable && l.node.Czxid > p.newest {
		p.newest, p.enabled = l.node.Czxid, drivers.FlagOf(c.enabled.holds(l.node.Fields))
	}
}

// call gives a leaf's stable name, and whether its data lacks what is asked of it. A znode whose data can't be read any
// more is called as it was before, if anybody knows.
func (c *census) call(l *leaf) (name string, unreadable bool) {
	name, err := c.naming.name(l.groups, l.node.Fields)
	unreadable = err != nil || len(c.fields) > 0 && l.node.Fields == nil
	if len(c.naming.fields) == 0 {
		return name, unreadable
	}
	known := knownName{l.node.Czxid, name}
	if errors.Is(err, errNoField) {
		if known = c.Tree.names[l.path]; known.czxid != l.node.Czxid {
			return "", true
		}
	}
	c.names[l.path] = known
	return known.name, unreadable
}

// usable says whether a name can be a label.
func usable(name string) bool {
	return name != "" && len(name) <= maxStableName && utf8.ValidString(name)
}

// enrol notes who is in the roster, and gives those who were not counted before.
func (c *census) enrol(rooms []room) (missing []drivers.Key) {
	for i := range rooms {
		for _, znode := range rooms[i].list.Names {
			groups := c.naming.groupsOf(znode)
			if groups == nil {
				continue
			}
			name, err := c.naming.name(groups, nil)
			if err != nil || !usable(name) || !usable(rooms[i].group) {
				c.reject(rooms[i].group, znode, "name")
				continue
			}
			key := drivers.Key{Group: rooms[i].group, Name: name}
			if c.present[key] == nil {
				missing = append(missing, key)
			}
			c.of(key.Group, key.Name).rostered = true
		}
	}
	return missing
}

// result sorts what was counted.
func (c *census) result() found {
	f := found{members: make([]drivers.Member, 0, len(c.present)), rejected: c.rejected}
	keys := slices.SortedFunc(maps.Keys(c.present), func(a, b drivers.Key) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name))
	})
	for _, key := range keys {
		p := c.present[key]
		m := drivers.Member{Group: key.Group, Name: key.Name, Up: p.up, Rostered: p.rostered, Enabled: p.enabled}
		if p.unknown && !p.up {
			f.unknown = append(f.unknown, m)
		} else {
			f.members = append(f.members, m)
		}
	}
	return f
}

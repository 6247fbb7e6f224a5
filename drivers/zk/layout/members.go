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

// maxNameLength bounds the length in bytes of the names of members and groups, since they become labels.
const maxNameLength = 256

// A memberNode is a znode whose existence may mean that a member is alive.
type memberNode struct {
	dir    *directory
	znode  string   // the name of the directory's child
	path   string   // of the member's znode
	groups []string // of the regular expression, in the name of the child
	node   *session.Node
}

// A knownName is the name that a member had when its znode's data could be read.
type knownName struct {
	czxid int64 // of the znode
	name  string
}

// members are the members that a poll found, sorted.
type members struct {
	known, unknown []drivers.Member
	rejected       []drivers.Rejection
}

// remove removes all that belongs to groups that may not be read.
func (m *members) remove(denied map[string]error) {
	if len(denied) == 0 {
		return
	}
	is := func(member drivers.Member) bool { return denied[member.Group] != nil }
	m.known, m.unknown = slices.DeleteFunc(m.known, is), slices.DeleteFunc(m.unknown, is)
	m.rejected = slices.DeleteFunc(m.rejected, func(r drivers.Rejection) bool { return denied[r.Group] != nil })
}

// readNodes reads the znodes of all members in the directories. It leaves out those that may not be read, and notes their groups.
func (w *walk) readNodes(ctx context.Context, dirs []directory) ([]memberNode, error) {
	var nodes []memberNode
	for i := range dirs {
		for _, znode := range dirs[i].list.Names {
			if groups := w.naming.matchName(znode); groups != nil {
				path := dirs[i].path + "/" + znode + dirs[i].tail
				nodes = append(nodes, memberNode{dir: &dirs[i], znode: znode, path: path, groups: groups})
			}
		}
	}
	todo := make([]*memberNode, len(nodes))
	for i := range nodes {
		todo[i] = &nodes[i]
	}
	err := session.Parallel(ctx, session.MaxRequests/2, todo, func(ctx context.Context, n *memberNode) error {
		node, err := w.reader.Nodes.Read(ctx, n.path, n.dir.tail != "")
		if err != nil {
			return w.deny(n.dir.group, session.Unavailable("reading "+n.path, err))
		}
		n.node = node
		return nil
	})
	return slices.DeleteFunc(nodes, func(n memberNode) bool { return n.node == nil }), err
}

// A state is what is known of one member. Several znodes may have the same member's name for some time: the old one of a
// process that has died, and the new one of the process that replaces it.
type state struct {
	up, unknown, rostered bool
	enabled               drivers.Flag
	newest                int64 // the Czxid of the newest znode, which decides whether the member is enabled
}

// A count collects the members of one poll.
type count struct {
	*Tree
	states   map[drivers.Key]*state
	names    map[string]knownName
	rejected []drivers.Rejection
}

func (t *Tree) newCount() *count {
	return &count{Tree: t, states: make(map[drivers.Key]*state), names: make(map[string]knownName)}
}

// state returns the state of a member, a new one if there is none.
func (c *count) state(key drivers.Key) *state {
	if c.states[key] == nil {
		c.states[key] = &state{}
	}
	return c.states[key]
}

func (c *count) reject(group, name, reason string) {
	c.rejected = append(c.rejected, drivers.Rejection{Group: group, Name: name, Reason: reason})
}

// countMembers returns the members among the znodes and in the roster.
func (t *Tree) countMembers(ctx context.Context, w *walk, nodes []memberNode, roster []directory) (members, error) {
	c := t.newCount()
	for i := range nodes {
		c.addNode(&nodes[i])
	}
	if missing := c.addRoster(roster); len(missing) > 0 {
		second := newWalk(t, w.reader)
		again, err := second.directories(ctx, t.roster)
		if err != nil {
			return members{}, err
		}
		maps.Copy(w.denied, second.denied)
		c.checkMissing(missing, roster, again)
	}
	t.names = c.names
	return c.sorted(), nil
}

// checkMissing decides about members that are in the roster and have no znode, by listings of the roster from before and
// after the znodes were read. If a directory of the roster has not changed, its members were in it all the time, and are
// dead. If it has changed, they may have left, or left and joined again; they are unknown until the next poll.
func (c *count) checkMissing(missing []drivers.Key, before, after []directory) {
	unchanged, changed := c.newCount(), c.newCount()
	old := make(map[string]directory, len(before))
	for _, d := range before {
		old[d.path] = d
	}
	for _, d := range after {
		if was, exists := old[d.path]; exists && was.same(d) {
			unchanged.addRoster([]directory{d})
		} else {
			changed.addRoster([]directory{d})
		}
	}
	for _, key := range missing {
		switch {
		case unchanged.states[key] != nil:
		case changed.states[key] != nil:
			c.states[key].unknown = true
		default:
			delete(c.states, key)
		}
	}
}

// addNode adds the member of one znode.
func (c *count) addNode(n *memberNode) {
	ephemeral := n.node.Owner != 0
	if !n.node.Exists || !ephemeral && !c.persistent {
		return
	}
	name, unreadable := c.nameOf(n)
	if unreadable {
		c.reject(n.dir.group, n.znode, "data")
	}
	if name == "" && unreadable {
		return
	}
	if !validName(name) || !validName(n.dir.group) {
		c.reject(n.dir.group, n.znode, "name")
		return
	}
	s := c.state(drivers.Key{Group: n.dir.group, Name: name})
	s.rostered = s.rostered || !ephemeral
	switch {
	case c.status == nil:
		s.up = true
	case unreadable:
		s.unknown = true
	default:
		s.up = s.up || c.status.matches(n.node.Fields)
	}
	if c.enabled != nil && !unreadable && n.node.Czxid > s.newest {
		s.newest, s.enabled = n.node.Czxid, drivers.FlagOf(c.enabled.matches(n.node.Fields))
	}
}

// nameOf returns the member's name, and whether fields that the layout needs can't be read from the znode's data. If the
// name has such fields, it is the name that the same znode had when they could be read, empty if there is none.
func (c *count) nameOf(n *memberNode) (name string, unreadable bool) {
	name, err := c.naming.name(n.groups, n.node.Fields)
	unreadable = err != nil || len(c.fields) > 0 && n.node.Fields == nil
	if len(c.naming.fields) == 0 {
		return name, unreadable
	}
	known := knownName{n.node.Czxid, name}
	if errors.Is(err, errNoField) {
		if known = c.Tree.names[n.path]; known.czxid != n.node.Czxid {
			return "", true
		}
	}
	c.names[n.path] = known
	return known.name, unreadable
}

// validName reports whether a name can be a label.
func validName(name string) bool {
	return name != "" && len(name) <= maxNameLength && utf8.ValidString(name)
}

// addRoster adds the members in the roster, and returns those that were not added before.
func (c *count) addRoster(dirs []directory) (missing []drivers.Key) {
	for i := range dirs {
		for _, znode := range dirs[i].list.Names {
			groups := c.naming.matchName(znode)
			if groups == nil {
				continue
			}
			name, err := c.naming.name(groups, nil)
			if err != nil || !validName(name) || !validName(dirs[i].group) {
				c.reject(dirs[i].group, znode, "name")
				continue
			}
			key := drivers.Key{Group: dirs[i].group, Name: name}
			if c.states[key] == nil {
				missing = append(missing, key)
			}
			c.state(key).rostered = true
		}
	}
	return missing
}

// sorted returns the members that were added.
func (c *count) sorted() members {
	all := members{known: make([]drivers.Member, 0, len(c.states)), rejected: c.rejected}
	keys := slices.SortedFunc(maps.Keys(c.states), func(a, b drivers.Key) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name))
	})
	for _, key := range keys {
		s := c.states[key]
		m := drivers.Member{Group: key.Group, Name: key.Name, Up: s.up, Rostered: s.rostered, Enabled: s.enabled}
		if s.unknown && !s.up {
			all.unknown = append(all.unknown, m)
		} else {
			all.known = append(all.known, m)
		}
	}
	return all
}

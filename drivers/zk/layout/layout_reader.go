package layout

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// A Tree is a declared layout, and what the last poll found in it. Polls are made one after the other.
type Tree struct {
	root         string
	live, roster []pattern
	group        string   // where the patterns don't say
	groups       []string // to read; empty: all
	naming       naming
	fields       []string // of the data, those that anything here asks for
	persistent   bool
	status       *Check
	enabled      *Check

	last  *treeResult
	names map[string]knownName // of members whose name is in their data, by path
}

// A treeResult is what a poll found and what it was made from.
type treeResult struct {
	from         *session.Reader
	live, roster []room
	fires        uint64
	found        found
}

// A room is a directory whose children are members of one group, as far as their names are such.
type room struct {
	path, group, tail string
	list              *session.Listing
}

// same says whether two looks, in one session, are at one directory and show the same children.
func (r room) same(other room) bool {
	return r.path == other.path && r.list.SameChildren(other.list.Stat)
}

// ParseData gives what reads a znode's data, nil if nothing is asked of it.
func (t *Tree) ParseData() func([]byte) map[string]string {
	if len(t.fields) == 0 {
		return nil
	}
	return func(data []byte) map[string]string { return readFields(data, t.fields) }
}

// Poll reads the layout. What was found is given again if nothing has changed.
func (t *Tree) Poll(ctx context.Context, r *session.Reader) (*drivers.Poll, error) {
	v := newVisit(t, r)
	// The roster is read before who is there, so that a member that joins meanwhile is never taken for dead.
	roster, err := v.rooms(ctx, t.roster)
	if err != nil {
		return nil, err
	}
	live, err := v.rooms(ctx, t.live)
	if err != nil {
		return nil, err
	}
	var leaves []leaf
	if !t.last.holds(r, live, roster) {
		r.BeginNodes()
		if leaves, err = t.readLeaves(ctx, r, live); err != nil {
			return nil, err
		}
		found, err := t.conclude(ctx, r, leaves, roster)
		if err != nil {
			return nil, err
		}
		t.last = &treeResult{from: r, live: live, roster: roster, fires: r.Revision(), found: found}
	}
	found := &t.last.found
	poll := &drivers.Poll{
		Members: found.members, Unknown: found.unknown, Rejected: found.rejected,
		Changed: changesIn(r, live, leaves),
	}
	if leaves != nil {
		r.Nodes.EndPoll()
	}
	return poll, nil
}

// holds says whether a result was made from the same children in the same session, none of which has changed.
func (l *treeResult) holds(r *session.Reader, live, roster []room) bool {
	return l != nil && l.from == r && l.fires == r.Revision() &&
		slices.EqualFunc(l.live, live, room.same) && slices.EqualFunc(l.roster, roster, room.same)
}

// changesIn gives the groups whose members came, went or changed since the last poll, and when that was first seen. A group
// is left out if any of its directories was not watched all the time.
func changesIn(r *session.Reader, live []room, leaves []leaf) map[string]time.Time {
	first, gaps := make(map[string]time.Time), make(map[string]bool)
	note := func(group string, at time.Time) {
		if old := first[group]; !at.IsZero() && (old.IsZero() || at.Before(old)) {
			first[group] = at
		}
	}
	for i := range live {
		note(live[i].group, r.Dirs.FirstChange(live[i].path, nil))
		gaps[live[i].group] = gaps[live[i].group] || !r.Dirs.Covers(live[i].path)
	}
	for i := range leaves {
		note(leaves[i].room.group, r.Nodes.FirstChange(leaves[i].node))
	}
	for group, gap := range gaps {
		if gap {
			delete(first, group)
		}
	}
	return first
}

// A visit reads directories for one poll, each once.
type visit struct {
	*Tree
	reading *session.Reader

	mu   sync.Mutex
	seen map[string]*session.Listing
}

func newVisit(t *Tree, r *session.Reader) *visit {
	return &visit{Tree: t, reading: r, seen: make(map[string]*session.Listing)}
}

// list reads a directory.
func (v *visit) list(ctx context.Context, path string) (*session.Listing, error) {
	v.mu.Lock()
	list := v.seen[path]
	v.mu.Unlock()
	if list != nil {
		return list, nil
	}
	list, err := v.reading.Dirs.Read(ctx, path)
	if err != nil {
		return nil, session.Unavailable("reading "+path, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen[path] = list
	return list, nil
}

// rooms gives the rooms of patterns, in an order that depends on nothing but the tree.
func (v *visit) rooms(ctx context.Context, patterns []pattern) ([]room, error) {
	var all []room
	for _, p := range patterns {
		rooms := []room{{path: v.root, tail: p.tail}}
		for _, level := range p.above {
			var err error
			if rooms, err = v.descend(ctx, rooms, level); err != nil {
				return nil, err
			}
		}
		for i := range rooms {
			rooms[i].group = cmp.Or(v.group, rooms[i].group)
		}
		if len(v.groups) > 0 {
			rooms = slices.DeleteFunc(rooms, func(r room) bool { return !slices.Contains(v.groups, r.group) })
		}
		if err := v.fill(ctx, rooms); err != nil {
			return nil, err
		}
		all = append(all, rooms...)
	}
	return all, nil
}

// fill lists the rooms.
func (v *visit) fill(ctx context.Context, rooms []room) error {
	todo := make([]*room, len(rooms))
	for i := range rooms {
		todo[i] = &rooms[i]
	}
	return session.Parallel(ctx, session.MaxInFlight/2, todo, func(ctx context.Context, r *room) (err error) {
		r.list, err = v.list(ctx, cmp.Or(r.path, "/"))
		return err
	})
}

// descend goes one level down.
func (v *visit) descend(ctx context.Context, rooms []room, level string) ([]room, error) {
	if level != levelAny && level != levelGroup {
		for i := range rooms {
			rooms[i].path += "/" + level
		}
		return rooms, nil
	}
	if err := v.fill(ctx, rooms); err != nil {
		return nil, err
	}
	var below []room
	for _, above := range rooms {
		for _, name := range above.list.Names {
			next := room{path: above.path + "/" + name, group: above.group, tail: above.tail}
			switch {
			case level == levelGroup && next.group == "":
				next.group = name
			case level == levelGroup:
				next.group += "/" + name
			}
			below = append(below, next)
		}
	}
	return below, nil
}

// Package layout reads members from trees of znodes that other systems write. A layout declares the paths of members, how
// they are named, and what their data says. A user declares one by [Custom]; [Presets] are the layouts of known systems. A
// poll lists all directories, but reads each member's znode only when its watch has fired.
package layout

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// A Tree reads the members of a declared layout, and remembers the result of the last poll. Only one poll at a time may
// use it.
type Tree struct {
	root         string
	live, roster []pattern
	group        string   // the group's name if the patterns have none
	groups       []string // to read; empty: all
	naming       naming
	fields       []string // of the data, which naming, status and enabled need
	persistent   bool
	status       *Check
	enabled      *Check

	last       *result
	hadMembers bool                 // a poll found members, so that the layout and the prefix are right
	names      map[string]knownName // the names of members that have fields of their data, by path
}

// A result is the members that a poll found, and what they were found in.
type result struct {
	reader       *session.Reader
	revision     uint64
	live, roster []directory
	members      members
	denied       map[string]error // why groups may not be read
	unfit        string           // a znode where members are expected, and that is none; empty: there is none
}

// current reports whether a new poll with these directories would have the same result. No watch fires when a group may be read
// again.
func (l *result) current(r *session.Reader, live, roster []directory) bool {
	return l != nil && l.reader == r && l.revision == r.Revision() && len(l.denied) == 0 &&
		slices.EqualFunc(l.live, live, directory.same) && slices.EqualFunc(l.roster, roster, directory.same)
}

// A directory is a znode whose children may be members of one group.
type directory struct {
	path, group string
	tail        string // the path from a child to the member's znode, empty if that is the child
	list        *session.Listing
}

// same reports whether two listings in one session are of the same directory and have the same children.
func (d directory) same(other directory) bool {
	return d.path == other.path && d.list.SameChildren(other.list.Stat)
}

// ParseData returns the function that reads the fields that the layout needs from a znode's data, nil if it needs none.
func (t *Tree) ParseData() func(data []byte) map[string]string {
	if len(t.fields) == 0 {
		return nil
	}
	return func(data []byte) map[string]string { return readFields(data, t.fields) }
}

// Read returns the members. The members of groups that may not be read are missing, unless that is so of all groups.
func (t *Tree) Read(ctx context.Context, r *session.Reader) (*drivers.Poll, error) {
	w := newWalk(t, r)
	// The roster is read before the live members, so that a member that joins meanwhile does not look dead.
	roster, err := w.directories(ctx, t.roster)
	if err != nil {
		return nil, err
	}
	live, err := w.directories(ctx, t.live)
	if err != nil {
		return nil, err
	}
	var nodes []memberNode
	unchanged := len(w.denied) == 0 && t.last.current(r, live, roster)
	if !unchanged {
		r.BeginNodes()
		if nodes, err = w.readNodes(ctx, live); err != nil {
			return nil, err
		}
		if err := t.update(ctx, w, live, roster, nodes); err != nil {
			return nil, err
		}
	}
	found := &t.last.members
	poll := &drivers.Poll{
		Members: found.known, Unknown: found.unknown, Rejected: found.rejected,
		Changed: changes(r, live, nodes),
	}
	if !unchanged {
		r.EndNodes()
	}
	return poll, t.addProblems(ctx, w, poll)
}

// update replaces the last result.
func (t *Tree) update(ctx context.Context, w *walk, live, roster []directory, nodes []memberNode) error {
	found, err := t.countMembers(ctx, w, nodes, roster)
	if err != nil {
		return err
	}
	if err := w.allDenied(append(slices.Clone(live), roster...)); err != nil {
		return err
	}
	found.remove(w.denied)
	t.last = &result{
		reader: w.reader, live: live, roster: roster, revision: w.reader.Revision(),
		members: found, denied: w.denied, unfit: t.firstUnfit(live, nodes),
	}
	return nil
}

// changes returns the groups in which a member was created, deleted or changed since the last poll, and when that was first
// seen. It leaves a group out if one of its directories was not watched all the time.
func changes(r *session.Reader, live []directory, nodes []memberNode) map[string]time.Time {
	first, unwatched := make(map[string]time.Time), make(map[string]bool)
	add := func(group string, at time.Time) {
		if old := first[group]; !at.IsZero() && (old.IsZero() || at.Before(old)) {
			first[group] = at
		}
	}
	for i := range live {
		add(live[i].group, r.Dirs.FirstChange(live[i].path, nil))
		unwatched[live[i].group] = unwatched[live[i].group] || !r.Dirs.Covers(live[i].path)
	}
	for i := range nodes {
		add(nodes[i].dir.group, r.Nodes.FirstChange(nodes[i].node))
	}
	for group, is := range unwatched {
		if is {
			delete(first, group)
		}
	}
	return first
}

// A walk lists directories for one poll, each of them once.
type walk struct {
	*Tree
	reader *session.Reader

	mu     sync.Mutex
	listed map[string]*session.Listing
	denied map[string]error // why groups may not be read
}

func newWalk(t *Tree, r *session.Reader) *walk {
	return &walk{Tree: t, reader: r, listed: make(map[string]*session.Listing), denied: make(map[string]error)}
}

// deny notes that a group may not be read if that is what the error says, and returns any other error.
func (w *walk) deny(group string, err error) error {
	if !errors.Is(err, zkclient.ErrNoAuth) {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.denied[group] = err
	return nil
}

// allDenied returns why no group may be read, nil if one of the directories belongs to a group that may be.
func (w *walk) allDenied(dirs []directory) error {
	if len(w.denied) == 0 || slices.ContainsFunc(dirs, func(d directory) bool { return w.denied[d.group] == nil }) {
		return nil
	}
	return w.denied[slices.Min(slices.Collect(maps.Keys(w.denied)))]
}

// list lists a directory.
func (w *walk) list(ctx context.Context, path string) (*session.Listing, error) {
	w.mu.Lock()
	list := w.listed[path]
	w.mu.Unlock()
	if list != nil {
		return list, nil
	}
	list, err := w.reader.Dirs.Read(ctx, path)
	if err != nil {
		return nil, session.Unavailable("reading "+path, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listed[path] = list
	return list, nil
}

// directories returns the listed directories that match the patterns. Their order depends only on the tree.
func (w *walk) directories(ctx context.Context, patterns []pattern) ([]directory, error) {
	var all []directory
	for _, p := range patterns {
		dirs := []directory{{path: w.root, tail: p.tail}}
		for i, level := range p.above {
			var err error
			hasGroup := w.group != "" || !slices.Contains(p.above[i:], levelGroup)
			if dirs, err = w.descend(ctx, dirs, level, hasGroup); err != nil {
				return nil, err
			}
		}
		for i := range dirs {
			dirs[i].group = cmp.Or(w.group, dirs[i].group)
		}
		if len(w.groups) > 0 {
			dirs = slices.DeleteFunc(dirs, func(d directory) bool { return !slices.Contains(w.groups, d.group) })
		}
		dirs, err := w.listAll(ctx, dirs, true)
		if err != nil {
			return nil, err
		}
		all = append(all, dirs...)
	}
	return all, nil
}

// listAll lists the directories. If they belong to whole groups, those that may not be read are left out, and their groups noted.
// Above the groups, that is an error.
func (w *walk) listAll(ctx context.Context, dirs []directory, hasGroup bool) ([]directory, error) {
	todo := make([]*directory, len(dirs))
	for i := range dirs {
		todo[i] = &dirs[i]
	}
	err := session.Parallel(ctx, session.MaxRequests/2, todo, func(ctx context.Context, d *directory) (err error) {
		d.list, err = w.list(ctx, cmp.Or(d.path, "/"))
		if err != nil && hasGroup {
			err = w.deny(cmp.Or(w.group, d.group), err)
		}
		return err
	})
	return slices.DeleteFunc(dirs, func(d directory) bool { return d.list == nil }), err
}

// descend returns the directories one level below that match the level of a pattern. With hasGroup the directories belong to
// whole groups, since the group's name has no more levels.
func (w *walk) descend(ctx context.Context, dirs []directory, level string, hasGroup bool) ([]directory, error) {
	if level != levelAny && level != levelGroup {
		for i := range dirs {
			dirs[i].path += "/" + level
		}
		return dirs, nil
	}
	dirs, err := w.listAll(ctx, dirs, hasGroup)
	if err != nil {
		return nil, err
	}
	var below []directory
	for _, above := range dirs {
		for _, name := range above.list.Names {
			d := directory{path: above.path + "/" + name, group: above.group, tail: above.tail}
			switch {
			case level == levelGroup && d.group == "":
				d.group = name
			case level == levelGroup:
				d.group += "/" + name
			}
			below = append(below, d)
		}
	}
	return below, nil
}

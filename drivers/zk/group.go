package zk

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// A group is what is known of one group, so that the next poll reads only what has changed.
type group struct {
	name string

	// The single children that were read. A poll that fails keeps them, too, so that a large group can be read over several
	// polls if one has too little time.
	kinds map[string]kind       // of children that exist and have no record
	dead  map[string]deadRecord // of children that have a record and don't exist

	// The last result, and what it was made from.
	reader       *session.Reader
	revision     uint64
	roster, live *session.Listing
	result       *groupResult

	denied     error // why the last poll may not read the group; nil: it may
	hadMembers bool  // in any poll
}

// A groupResult is a group's part of a poll. It never changes.
type groupResult struct {
	members  []drivers.Member // sorted by name
	rejected []drivers.Rejection
	watched  []string // the paths of children whose own children are watched: those that are or may be nested members
	unfit    unfit
}

// read reads the group. If its ACL forbids that, the poll continues without the group.
func (g *group) read(ctx context.Context, r *groupReader) error {
	g.denied = nil
	err := g.readGroup(ctx, r)
	if errors.Is(err, zkclient.ErrNoAuth) {
		g.denied, err = err, nil
	}
	return err
}

// readGroup reads the group. It keeps the result if nothing has changed.
func (g *group) readGroup(ctx context.Context, r *groupReader) error {
	// The roster is read before the live members, and the records of dead members after them. So a member that joins
	// meanwhile does not look dead, and a member that leaves meanwhile has no record when that is read.
	roster, err := r.Dirs.Read(ctx, r.paths.rosterGroup(g.name))
	if err != nil {
		return session.Unavailable("reading the roster "+r.paths.rosterGroup(g.name), err)
	}
	live, err := r.Dirs.Read(ctx, r.paths.group(g.name))
	if err != nil {
		return session.Unavailable("reading the group "+r.paths.group(g.name), err)
	}
	if g.sameLive(r, live) && g.roster.SameChildren(roster.Stat) &&
		(len(g.result.watched) == 0 || g.revision == r.Revision()) {
		return nil
	}
	children := g.mergeListings(r, roster, live)
	err = g.readChildren(ctx, r, roster, unknownChildren(children))
	g.remember(children)
	if err != nil {
		return err
	}
	g.reader, g.revision, g.roster, g.live = r.Reader, r.Revision(), roster, live
	g.result = g.newResult(r, children)
	return nil
}

// readChildren reads what is not known of children.
func (g *group) readChildren(ctx context.Context, r *groupReader, roster *session.Listing, children []*child) error {
	read := func(ctx context.Context, c *child) error { return c.read(ctx, r, g.name) }
	if err := session.Parallel(ctx, session.MaxRequests/2, children, read); err != nil {
		return err
	}
	flat := slices.DeleteFunc(children, func(c *child) bool { return c.kind != kindFlat })
	if len(flat) == 0 {
		return nil
	}
	return g.findRecorded(ctx, r, roster, flat)
}

// findRecorded finds children that seemed to have no record because they joined after the roster was read. If the roster
// has not changed since, there are none. Otherwise a member of another program is one that has no record and that existed
// both before and after the second read of the roster, since members of this program come and go with their records.
func (g *group) findRecorded(ctx context.Context, r *groupReader, before *session.Listing, flat []*child) error {
	after, err := r.Dirs.Read(ctx, r.paths.rosterGroup(g.name))
	if err != nil {
		return session.Unavailable("reading the roster "+r.paths.rosterGroup(g.name), err)
	}
	if after.SameChildren(before.Stat) {
		return nil
	}
	others := slices.DeleteFunc(flat, func(c *child) bool {
		_, c.recorded = slices.BinarySearch(after.Names, c.name)
		return c.recorded
	})
	return session.Parallel(ctx, session.MaxRequests/2, others, func(ctx context.Context, c *child) error {
		return c.checkExists(ctx, r, g.name)
	})
}

// sameLive reports whether the last result was made from the same children in the same session.
func (g *group) sameLive(r *groupReader, live *session.Listing) bool {
	return g.reader == r.Reader && g.live.SameChildren(live.Stat)
}

// mergeListings returns the children in either listing, sorted by name, with what is known of each.
func (g *group) mergeListings(r *groupReader, roster, live *session.Listing) []child {
	children := make([]child, 0, max(len(roster.Names), len(live.Names)))
	a, b := roster.Names, live.Names
	for len(a) > 0 || len(b) > 0 {
		var c child
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			c = child{name: a[0], rostered: true}
			c.record, c.known = g.dead[c.name]
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			c = child{name: b[0], present: true}
			c.kind, c.known = g.kinds[c.name]
			switch {
			case !c.known || c.kind == kindFlat:
			case c.setNested(r.Cached(r.paths.member(g.name, c.name))):
			default: // A child that was not a member may have been replaced by a member with the same name.
				c.known = (c.kind == kindOther || c.kind == kindOutside) && g.sameLive(r, live)
			}
			b = b[1:]
		default:
			c = child{name: a[0], rostered: true, present: true, known: true}
			a, b = a[1:], b[1:]
		}
		children = append(children, c)
	}
	return children
}

// unknownChildren returns the children that have to be read.
func unknownChildren(children []child) []*child {
	var unknown []*child
	for i := range children {
		if !children[i].known {
			unknown = append(unknown, &children[i])
		}
	}
	return unknown
}

// remember keeps what is known of the children, and forgets all others.
func (g *group) remember(children []child) {
	g.kinds, g.dead = make(map[string]kind), make(map[string]deadRecord)
	for i := range children {
		switch c := &children[i]; {
		case !c.known || c.gone:
		case c.present && !c.rostered:
			g.kinds[c.name] = c.kind
		case c.rostered && !c.present:
			g.dead[c.name] = c.record
		}
	}
}

// newResult returns the members among the children.
func (g *group) newResult(r *groupReader, children []child) *groupResult {
	result := &groupResult{members: make([]drivers.Member, 0, len(children))}
	reject := func(c *child, reason string) {
		result.rejected = append(result.rejected, drivers.Rejection{Group: g.name, Name: c.name, Reason: reason})
	}
	for i := range children {
		c := &children[i]
		if c.watched {
			result.watched = append(result.watched, r.paths.member(g.name, c.name))
		}
		if !c.gone && !c.rostered && !r.includes(c.kind) {
			result.unfit.add(c)
		}
		if c.gone || !c.rostered && !r.includes(c.kind) {
			continue
		}
		if !utf8.ValidString(c.name) {
			reject(c, "name")
			continue
		}
		if c.record.damaged {
			reject(c, "data") // It is a dead member all the same.
		}
		result.members = append(result.members, drivers.Member{
			Group: g.name, Name: c.name, Rostered: c.rostered || c.recorded || c.kind == kindNested,
			Up:             c.present && (c.kind != kindNested || c.populated),
			Died:           c.record.DiedAt,
			SessionTimeout: time.Duration(c.record.SessionTimeout),
		})
	}
	return result
}

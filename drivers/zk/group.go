package zk

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// A group is what is remembered of one group from poll to poll, so that only what has changed is read again.
type group struct {
	name string

	// What was found out about single children. It is kept even when the poll that asked could not be finished, so that
	// a large group is understood in several polls if one has not the time.
	kinds map[string]kind       // of those that are there without a record
	dead  map[string]deadRecord // of those that have a record and are not there

	// The last result, and what it was made from.
	from         *session.Reader
	fires        uint64 // watches that had fired when that poll began
	roster, live *session.Listing
	result       *groupResult
}

// A groupResult is a group's part of a poll. It never changes.
type groupResult struct {
	members  []drivers.Member // sorted by name
	rejected []drivers.Rejection
	watched  []string // paths of children that are watched by themselves: nested members, and what looks like one
}

// poll reads the group. It leaves the result alone if nothing has changed.
func (g *group) poll(ctx context.Context, r *groupReader) error {
	// The roster is read before who is there, and the records of the dead after that. So a member that joins meanwhile
	// is never taken for dead, and one that leaves meanwhile has no record any more when it is asked for.
	roster, err := r.Dirs.Read(ctx, r.paths.rosterGroup(g.name))
	if err != nil {
		return session.Unavailable("reading the roster "+r.paths.rosterGroup(g.name), err)
	}
	live, err := r.Dirs.Read(ctx, r.paths.group(g.name))
	if err != nil {
		return session.Unavailable("reading the group "+r.paths.group(g.name), err)
	}
	if g.sameLive(r, live) && g.roster.SameChildren(roster.Stat) &&
		(len(g.result.watched) == 0 || g.fires == r.Revision()) {
		return nil
	}
	children := g.merge(r, roster, live)
	err = g.lookAt(ctx, r, roster, unclear(children))
	g.remember(children)
	if err != nil {
		return err
	}
	g.from, g.fires, g.roster, g.live = r.Reader, r.Revision(), roster, live
	g.result = g.conclude(r, children)
	return nil
}

// lookAt finds out what is not known of children.
func (g *group) lookAt(ctx context.Context, r *groupReader, roster *session.Listing, children []*child) error {
	look := func(ctx context.Context, c *child) error { return c.look(ctx, r, g.name) }
	if err := session.Parallel(ctx, session.MaxInFlight/2, children, look); err != nil {
		return err
	}
	flat := slices.DeleteFunc(children, func(c *child) bool { return c.kind != kindFlat })
	if len(flat) == 0 {
		return nil
	}
	return g.tellStrangers(ctx, r, roster, flat)
}

// tellStrangers tells foreign members from those of ours that joined after the roster was read. If no record came or went
// since then, all are foreign. Otherwise a foreign one is who had no record while it was there, before and after: ours
// come and go together with their records.
func (g *group) tellStrangers(ctx context.Context, r *groupReader, before *session.Listing, flat []*child) error {
	after, err := r.Dirs.Read(ctx, r.paths.rosterGroup(g.name))
	if err != nil {
		return session.Unavailable("reading the roster "+r.paths.rosterGroup(g.name), err)
	}
	if after.SameChildren(before.Stat) {
		return nil
	}
	strangers := slices.DeleteFunc(flat, func(c *child) bool {
		_, c.recorded = slices.BinarySearch(after.Names, c.name)
		return c.recorded
	})
	return session.Parallel(ctx, session.MaxInFlight/2, strangers, func(ctx context.Context, c *child) error {
		return c.stillThere(ctx, r, g.name)
	})
}

// sameLive says whether the last result was made from the same children in the same session.
func (g *group) sameLive(r *groupReader, live *session.Listing) bool {
	return g.from == r.Reader && g.live.SameChildren(live.Stat)
}

// merge gives the children of both listings, sorted by name, with what is known of each.
func (g *group) merge(r *groupReader, roster, live *session.Listing) []child {
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
			case c.isInside(r.Cached(r.paths.member(g.name, c.name))):
			default: // What was no member may be one under the same name now.
				c.known = c.kind == kindOther && g.sameLive(r, live)
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

// unclear gives the children that have to be looked at.
func unclear(children []child) []*child {
	var todo []*child
	for i := range children {
		if !children[i].known {
			todo = append(todo, &children[i])
		}
	}
	return todo
}

// remember keeps what is known of the children, and nothing else.
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

// conclude gives the members among the children.
func (g *group) conclude(r *groupReader, children []child) *groupResult {
	result := &groupResult{members: make([]drivers.Member, 0, len(children))}
	reject := func(c *child, reason string) {
		result.rejected = append(result.rejected, drivers.Rejection{Group: g.name, Name: c.name, Reason: reason})
	}
	for i := range children {
		c := &children[i]
		if c.watched {
			result.watched = append(result.watched, r.paths.member(g.name, c.name))
		}
		if c.gone || !c.rostered && !r.counts(c.kind) {
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

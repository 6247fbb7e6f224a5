package tracker

import (
	"cmp"
	"slices"
	"time"
)

// A Group is what a [Tracker] knows of one group.
type Group struct {
	Name string

	// Up, Down and Unknown are the members in service by their state in the last poll, OutOfService the others.
	Up, Down, Unknown, OutOfService int
	// InDoubt reports that some of the unknown members may be up: see [Member.InDoubt], or that the group could not be read. The
	// last poll did not know the group as a whole then.
	InDoubt bool
	// Unreadable reports that the last poll of the source could not read the group.
	Unreadable bool

	// InService is how many members were in service, and DecidedDown how many of them were down, in the last poll that knew
	// the group as a whole. That poll ended at LastKnown by this machine's clock, zero: there was none. A member whose row is damaged
	// counts in both if it was down before, and else in neither.
	InService, DecidedDown int
	LastKnown              time.Time

	// Intervals are the quantiles of the reporting intervals that were learned of the group's members, if there is one.
	Intervals    Quantiles
	HasIntervals bool
	// Ages are the quantiles of the ages of the heartbeats of the group's members in service, up or down, by the backend's clock when the
	// last poll was begun, if there is one. Members whose entry can't be read don't count. The age of a heartbeat in the future is negative.
	Ages    Quantiles
	HasAges bool

	inService, decidedDown int     // the same by the poll being observed
	announced              bool    // it was among [Changes.NewGroups]
	emptied                Instant // when the last member had gone
}

func (g *Group) size() int { return g.Up + g.Down + g.Unknown + g.OutOfService }

// Groups returns the groups that have members, that had one down within the last hour, that are expected, or that can't be
// read, sorted by name. A group without members is missing until a poll has known it, unless it can't be read.
func (t *Tracker) Groups() []Group {
	decided := make(map[string]bool)
	for i, d := range t.Decisions() {
		if i == 0 || t.down.sorted[i-1].Group != d.Group {
			decided[d.Group] = true
		}
	}
	groups := make([]Group, 0, len(t.groups))
	for _, g := range t.groups {
		if g.size() > 0 || g.Unreadable || !g.LastKnown.IsZero() && (decided[g.Name] || t.expects(g.Name)) {
			groups = append(groups, *g)
		}
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	return groups
}

// expects reports whether a group must exist in this source.
func (t *Tracker) expects(group string) bool {
	return !t.listsDatabases && slices.Contains(t.opts.ExpectedGroups, group)
}

// count counts the members of each group by state. A group is remembered for a while after its last member has gone, so
// that Prometheus still scrapes what was observed about it last.
func (t *Tracker) count(changes *Changes) {
	t.listsDatabases = t.poll.ListsDatabases
	for _, name := range t.opts.ExpectedGroups {
		if t.groups[name] == nil && t.expects(name) {
			t.groups[name] = &Group{Name: name}
		}
	}
	for _, g := range t.groups {
		g.Up, g.Down, g.Unknown, g.OutOfService, g.InDoubt, g.inService, g.decidedDown = 0, 0, 0, 0, g.Unreadable, 0, 0
		g.HasAges = false
	}
	t.unknown, t.newest = 0, time.Time{}
	defer t.countIntervals()
	inService := 0
	var g *Group
	for i, m := range t.order {
		if i == 0 || t.order[i-1].Group != m.Group {
			t.endAges(g)
			g = t.groupOf(m, changes)
		}
		g.add(m)
		t.noteAge(m)
		if m.State() == Unknown {
			t.unknown++
		}
		if h := m.LastHeartbeat; h.After(t.newest) && !h.After(t.now.clock.Add(t.poll.DownTime)) {
			t.newest = h
		}
	}
	t.endAges(g)
	for name, g := range t.groups {
		inService += g.inService
		if !g.InDoubt {
			g.InService, g.DecidedDown, g.LastKnown = g.inService, g.decidedDown, t.now.end.Wall
		}
		if g.size() > 0 || g.Unreadable || t.expects(name) {
			continue
		}
		if g.emptied.IsZero() {
			g.emptied = t.now.end
		}
		if t.now.end.Sub(g.emptied) >= max(t.opts.ForgetAfter, EndedFor) || !t.isShort(name) {
			delete(t.groups, name)
			if g.announced {
				changes.GoneGroups = append(changes.GoneGroups, name)
			}
		}
	}
	t.decideStalled(inService)
}

// noteUnreadableGroups takes in which groups the poll could not read. Their members are unknown, not gone. It is called when the
// rows have their members.
func (t *Tracker) noteUnreadableGroups() {
	for _, g := range t.groups {
		g.Unreadable = false
	}
	if len(t.poll.UnreadableGroups) == 0 {
		return
	}
	for _, name := range t.poll.UnreadableGroups {
		g := t.groups[name]
		if g == nil {
			if !validName(name) || !t.isShort(name) || len(t.groups)+len(t.newGroups) >= t.opts.limits.groups {
				continue
			}
			g = &Group{Name: name}
			t.groups[name] = g
		}
		g.Unreadable = true
	}
	for _, m := range t.order {
		if g := t.groups[m.Group]; m.row == nil && g != nil && g.Unreadable {
			m.entry = entryUnknown
		}
	}
}

// groupOf returns the group of a member.
func (t *Tracker) groupOf(m *Member, changes *Changes) *Group {
	g := t.groups[m.Group]
	if g == nil {
		g = &Group{Name: m.Group}
		t.groups[m.Group] = g
	}
	if !g.announced {
		g.announced = true
		changes.NewGroups = append(changes.NewGroups, m.Group)
	}
	g.emptied = Instant{}
	return g
}

// add counts a member.
func (g *Group) add(m *Member) {
	g.InDoubt = g.InDoubt || m.InDoubt()
	if !m.InService() {
		g.OutOfService++
		return
	}
	down := m.DecidedDown()
	if down {
		g.decidedDown++
	}
	state := m.State()
	if down || state != Unknown {
		g.inService++
	}
	switch state {
	case Up:
		g.Up++
	case Down:
		g.Down++
	default:
		g.Unknown++
	}
}

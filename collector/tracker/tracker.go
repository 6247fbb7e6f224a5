// Package tracker decides which members of a source joined, died, recovered or left.
//
// A [Tracker] compares each poll with what it knows from the polls before. It is pure: it starts no goroutine, reads no
// clock and writes no metric, log or file. The caller passes polls with their times in, and takes [Changes] out.
//
//   - transition.go decides what happened to a member, in one switch.
//   - outage.go decides what an outage of the source, or a clock that was set, excuses.
//   - silence.go finds out for how long a dead member had been silent.
//   - state.go is what survives a restart.
package tracker

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// Options are the settings of a [Tracker].
type Options struct {
	// Source is the name of the source.
	Source string
	// ForgetAfter is how long a dead member that the backend no longer lists is remembered.
	ForgetAfter time.Duration
	// Limits bound what one source may have; zero: [DefaultLimits].
	Limits Limits
}

// A Tracker knows the members of one source. It must not be used concurrently.
type Tracker struct {
	opts Options

	polled     bool    // there was a successful poll, in this process or in a saved state
	failed     bool    // there was a failed poll after it
	outageEnds bool    // an outage ends with the poll being observed
	outages    outages // of the source
	clockSet   Instant // when the clock of heartbeats was last seen to be set; zero: never

	poll *drivers.Poll // the poll being observed
	now  pollTime      // its time
	last pollTime      // the time of the last successful poll before it

	members map[drivers.Key]*Member
	order   []*Member // the same, sorted by group and name
	first   Member    // stands before the first row, so that its next is the member of the first row
	groups  map[string]*Group
	// newGroups has the groups of the poll being observed that are not in groups yet.
	newGroups map[string]bool
	newest    time.Time
	unknown   int
}

// A Group is how many members of a group are in each state.
type Group struct {
	Name              string
	Up, Down, Unknown int
	// InDoubt reports that some of the unknown members may be up: see [Member.InDoubt].
	InDoubt bool

	emptied Instant // when the last member had gone
}

func (g *Group) size() int { return g.Up + g.Down + g.Unknown }

// New returns a Tracker that knows no members.
func New(opts Options) *Tracker {
	if opts.Limits == (Limits{}) {
		opts.Limits = DefaultLimits()
	}
	return &Tracker{opts: opts, members: make(map[drivers.Key]*Member), groups: make(map[string]*Group)}
}

// SetForgetAfter changes [Options.ForgetAfter].
func (t *Tracker) SetForgetAfter(d time.Duration) { t.opts.ForgetAfter = d }

// Polled reports whether there was a successful poll, in this process or in a restored state.
func (t *Tracker) Polled() bool { return t.polled }

// LastPoll returns when the last successful poll was begun.
func (t *Tracker) LastPoll() Instant { return t.last.start }

// NewestHeartbeat returns the newest heartbeat of any member in the last successful poll, by the backend's clock. Heartbeats
// that are in the future by more than the heartbeat timeout do not count. It is zero where there are none.
func (t *Tracker) NewestHeartbeat() time.Time { return t.newest }

// Unknown returns how many members are in the state [Unknown].
func (t *Tracker) Unknown() int { return t.unknown }

// Members returns all members, sorted by group and name. They and the slice may change with the next poll.
func (t *Tracker) Members() []*Member { return t.order }

// Groups returns the groups that have members, sorted by name.
func (t *Tracker) Groups() []Group {
	groups := make([]Group, 0, len(t.groups))
	for _, g := range t.groups {
		if g.size() > 0 {
			groups = append(groups, *g)
		}
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	return groups
}

// ObserveFailure takes in that the source could not be read. It changes no member.
func (t *Tracker) ObserveFailure() { t.failed = true }

// Observe takes in a successful poll that took from start to end, and returns what it changed.
func (t *Tracker) Observe(poll *drivers.Poll, start, end Instant) Changes {
	changes := Changes{Rejected: make(map[string]int)}
	t.poll, t.now = poll, pollTime{start: start, end: end, clock: poll.Now}
	if t.now.clock.IsZero() {
		t.now.clock = start.Wall
	}
	t.noteOutage()
	t.matchRows(&changes)
	t.order = slices.DeleteFunc(t.order, func(m *Member) bool {
		keep := t.observe(m, &changes)
		m.row, m.entry = nil, entryVerdict
		if !keep {
			delete(t.members, m.Key())
			m.gone, m.next = true, nil
		}
		return !keep
	})
	t.count(&changes)
	t.dropOldOutages()
	t.polled, t.failed = true, false
	t.poll, t.last = nil, t.now
	return changes
}

// matchRows finds the member of every row, adds the members that are missing, and rejects rows that can't be used. No two
// members have the same group and name, even if two rows have.
func (t *Tracker) matchRows(changes *Changes) {
	known := len(t.order)
	t.newGroups = make(map[string]bool)
	last := &t.first
	for i := range t.poll.Members {
		last = t.matchRow(&t.poll.Members[i], last, entryVerdict, changes)
	}
	for i := range t.poll.Unknown {
		last = t.matchRow(&t.poll.Unknown[i], last, entryUnknown, changes)
	}
	for _, r := range t.poll.Rejected {
		changes.Rejected[rejectionReason(r.Reason)]++
		m := t.members[drivers.Key{Group: r.Group, Name: r.Name}]
		if m != nil && m.row == nil {
			m.entry = entryDamaged
		}
	}
	if len(t.order) > known {
		slices.SortFunc(t.order, Compare)
	}
}

// matchRow returns the member of a row, or last if the row can't be used. Rows nearly always come in the same order, so the
// member is usually the one that came after last in the poll before.
func (t *Tracker) matchRow(row *drivers.Member, last *Member, kind entry, changes *Changes) *Member {
	m := last.next
	if m == nil || m.gone || m.Key() != row.Key() {
		m = t.members[row.Key()]
	}
	if m == nil {
		if reason := t.rejectionOf(row); reason != "" {
			changes.Rejected[reason]++
			return last
		}
		m = &Member{Member: *row}
		t.members[row.Key()] = m
		t.order = append(t.order, m)
	}
	if m.row != nil {
		changes.Rejected[rejectedDuplicate]++
	}
	if m.row == nil || kind == m.entry && better(row, m.row) {
		m.row, m.entry = row, kind
	}
	last.next = m
	return m
}

// rejectionOf returns why a new member is rejected, or the empty string.
func (t *Tracker) rejectionOf(row *drivers.Member) string {
	switch {
	case !validName(row.Group) || !validName(row.Name):
		return rejectedName
	case t.full(row.Group):
		return rejectedLimit
	default:
		return ""
	}
}

// count counts the members of each group by state. A group is remembered for a while after its last member has gone, so
// that Prometheus still scrapes what was observed about it last.
func (t *Tracker) count(changes *Changes) {
	for name, g := range t.groups {
		*g = Group{Name: name, emptied: g.emptied}
	}
	t.unknown, t.newest = 0, time.Time{}
	var g *Group
	for i, m := range t.order {
		if i == 0 || t.order[i-1].Group != m.Group {
			g = t.groupOf(m, changes)
		}
		switch m.State() {
		case Up:
			g.Up++
		case Down:
			g.Down++
		default:
			g.Unknown++
			t.unknown++
		}
		g.InDoubt = g.InDoubt || m.InDoubt()
		if h := m.LastHeartbeat; h.After(t.newest) && !h.After(t.now.clock.Add(t.poll.DownTime)) {
			t.newest = h
		}
	}
	for name, g := range t.groups {
		switch {
		case g.size() > 0:
		case g.emptied.IsZero():
			g.emptied = t.now.end
		case t.now.end.Sub(g.emptied) >= t.opts.ForgetAfter:
			delete(t.groups, name)
			changes.GoneGroups = append(changes.GoneGroups, name)
		}
	}
}

// groupOf returns the group of a member.
func (t *Tracker) groupOf(m *Member, changes *Changes) *Group {
	g := t.groups[m.Group]
	if g == nil {
		g = &Group{Name: m.Group}
		t.groups[m.Group] = g
		changes.NewGroups = append(changes.NewGroups, m.Group)
	}
	g.emptied = Instant{}
	return g
}

// Package tracker decides which members of a source joined, died, recovered or left.
//
// A [Tracker] compares each poll with what it knows from the polls before. It is pure: it starts no goroutine, reads no
// clock and writes no metric, log or file. The caller passes polls with their times in, and takes [Changes] out.
//
//   - transition.go decides what happened to a member, in one switch.
//   - decision.go decides which members are in service and which are down, which is what alerts and dashboards show.
//   - group.go counts the members of each group.
//   - outage.go decides what an outage of the source, or a clock that was set, excuses.
//   - silence.go finds out for how long a dead member had been silent.
//   - since.go keeps since when members are down.
//   - suspicion.go suspects members whose heartbeats are overdue, gaps.go learns their intervals, and guard.go suspects none while
//     many are late.
//   - state.go is what survives a restart.
//
// Begin with [Tracker.Observe]. history_test.go plays histories that are written in words: each poll, and what it must change.
package tracker

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// Settings are what may change during the life of a [Tracker].
type Settings struct {
	// ForgetAfter is how long a dead member that the backend no longer lists is remembered.
	ForgetAfter time.Duration
	// ExpectedGroups names the groups that must exist. Such a group has no members where the source has none of it.
	ExpectedGroups []string
	// NameLimit is the maximum length of the names of members and groups, in bytes; zero: [drivers.MaxText]. Members with
	// longer names are rejected.
	NameLimit int
	// Suspicion is how members are suspected.
	Suspicion Suspicion
	// Shared is the guard that the source shares with others, nil if it shares none.
	Shared *Guard
	// PollInterval is the time between polls by the timer; zero: there is no timer.
	PollInterval time.Duration
}

// Options are what a [Tracker] is made with.
type Options struct {
	// Source is the name of the source.
	Source string
	Settings

	limits limits // of tests; zero: the defaults
}

// A Tracker knows the members of one source. It must not be used concurrently.
type Tracker struct {
	opts Options

	polled     bool    // there was a successful poll, in this process or in a saved state
	failed     bool    // there was a failed poll after it
	outageEnds bool    // an outage ends with the poll being observed
	outages    outages // of the source
	clockSet   Instant // when the clock of heartbeats was last seen to be set; zero: never

	outageEnded Instant // when an outage of the source last ended; zero: never

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

	listsDatabases bool // see [drivers.Poll.ListsDatabases]
	hasHeartbeats  bool // the last poll had a heartbeat
	stalled        bool // see [Tracker.Stalled]

	down, suspected  decisions // that members are down, and that they are suspected
	decisionsChanged bool      // by the poll being observed

	// See suspicion.go and guard.go.
	guard    *Guard
	views    [2]guardView  // what the guards say in the poll being observed
	observed bool          // there was a successful poll in this process
	pollGaps gaps          // the times between such polls
	known    int           // members that report regularly and are not suspected, in the last poll
	late     []*Member     // those that are late in the poll being observed
	returned int           // how many of the others had been late until this poll
	shortest time.Duration // interval of the members that are known
	downTime time.Duration

	intervalsChanged bool            // the interval of a member has changed since the last poll, or a member with one is gone
	values           []time.Duration // of which quantiles are taken: see quantiles.go
}

// New returns a Tracker that knows no members.
func New(opts Options) *Tracker {
	if opts.limits == (limits{}) {
		opts.limits = defaultLimits()
	}
	return &Tracker{
		opts: opts, members: make(map[drivers.Key]*Member), groups: make(map[string]*Group),
		down: newDecisions(), suspected: newDecisions(), guard: NewGuard(),
	}
}

// Set changes the settings. What has longer names than they allow is dropped at once; the rest applies from the next poll on.
func (t *Tracker) Set(settings Settings) {
	if shared := t.opts.Shared; shared != nil && shared != settings.Shared {
		shared.remove(t.opts.Source)
	}
	t.opts.Settings = settings
	t.order = slices.DeleteFunc(t.order, func(m *Member) bool {
		drop := !t.isShort(m.Group) || !t.isShort(m.Name)
		if drop {
			t.remove(m)
		}
		return drop
	})
	for _, all := range []*decisions{&t.down, &t.suspected} {
		for _, d := range all.sort() {
			if !t.isShort(d.Group) || !t.isShort(d.Name) {
				all.drop(d)
			}
		}
	}
	for name, g := range t.groups {
		if !t.isShort(name) {
			*g = Group{Name: name, announced: g.announced}
		}
	}
}

func (t *Tracker) remove(m *Member) {
	delete(t.members, m.Key())
	t.intervalsChanged = t.intervalsChanged || m.Interval() > 0
	m.gone, m.next = true, nil
}

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

// ObserveFailure takes in that the source could not be read. It changes no member.
func (t *Tracker) ObserveFailure() {
	t.failed = true
	t.guard.turnOn(t.opts.Source)
	t.leaveShared()
}

// End takes in that the source is no longer read.
func (t *Tracker) End() { t.leaveShared() }

func (t *Tracker) leaveShared() {
	if t.opts.Shared != nil {
		t.opts.Shared.remove(t.opts.Source)
	}
}

// Observe takes in a successful poll that took from start to end, and returns what it changed.
func (t *Tracker) Observe(poll *drivers.Poll, start, end Instant) Changes {
	changes := Changes{Rejected: make(map[string]int)}
	// Round(0): a time without the monotonic part, which would hide that the clock was set.
	t.poll, t.now = poll, pollTime{start: start, end: end, clock: poll.Now.Round(0)}
	if t.now.clock.IsZero() {
		t.now.clock = start.Wall.Round(0)
	}
	t.noteOutage()
	t.followWallClock()
	t.matchRows(&changes)
	t.known, t.returned, t.shortest, t.downTime = 0, 0, 0, poll.DownTime
	t.order = slices.DeleteFunc(t.order, func(m *Member) bool {
		keep := t.observe(m, &changes)
		t.noteLate(m)
		t.decideDown(m, keep, end)
		t.decideSuspected(m, keep, end)
		m.row, m.entry = nil, entryVerdict
		if !keep {
			t.remove(m)
		}
		return !keep
	})
	t.suspect(&changes)
	t.count(&changes)
	t.dropOldOutages()
	t.polled, t.failed = true, false
	t.poll, t.last = nil, t.now
	changes.Decisions, t.decisionsChanged = t.decisionsChanged, false
	t.Expire(end)
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
	t.noteUnreadableGroups()
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
			if !t.isShort(row.Group) || !t.isShort(row.Name) {
				changes.LongNames++
			}
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
	case !validName(row.Group) || !validName(row.Name) || !t.isShort(row.Group) || !t.isShort(row.Name):
		return rejectedName
	case t.full(row.Group):
		return rejectedLimit
	default:
		return ""
	}
}

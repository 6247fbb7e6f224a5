package collector

import (
	"time"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// State is the state of a member. While its source can't be read, the state of every member is Unknown.
type State = tracker.State

// The states.
const (
	Unknown = tracker.Unknown
	Up      = tracker.Up
	Down    = tracker.Down
)

// A Snapshot is what is known of one source after a poll. It never changes.
type Snapshot struct {
	Source                 string
	Driver, Schema, Layout string
	Backend                string // the server and its version, where it reports them
	Readable               bool   // the last poll succeeded
	Err                    error  // why the last poll failed; also nil before the first poll
	Reason                 drivers.Reason
	LastAttempt            time.Time     // when the last poll ended, zero before the first
	LastSuccess            time.Time     // when the last successful poll ended, in this process or before the restart
	Polled                 bool          // a poll succeeded in this process
	PollDuration           time.Duration // of the last poll
	ClockOffset            time.Duration // the backend's clock minus this machine's
	HasClock               bool          // ClockOffset is known
	BackendTime            time.Time     // the backend's clock at the last successful poll; zero if it has none
	DownTime               time.Duration // how long members may be silent, zero before the first successful poll
	// Stale reports that the source can be read, but was not read for three heartbeat timeouts and at least 3 minutes, so that
	// the states of its members are too old to use.
	Stale             bool
	HeartbeatsStalled bool // see [tracker.Tracker.Stalled]; false while the source can't be read
	SuspendsSuspicion bool // see [tracker.Tracker.SuspendsSuspicion]; false while the source can't be read
	ListsDatabases    bool // see [drivers.Poll.ListsDatabases]
	TextLimit         int  // the maximum length of free text in a label, in bytes

	// Problems are what the last successful poll found that is probably not as the operator meant it, sorted by kind and group.
	// They stay while the source can't be read.
	Problems []drivers.Problem

	// Rejected has how many entries the last successful poll could not use, by reason. LongNames is how many of them have names
	// that are longer than [SourceConfig.LabelLimit].
	Rejected  map[string]int
	LongNames int

	// Members is sorted by group and name. While the source can't be read it has what was known before, with every
	// state Unknown.
	Members []MemberState
	// Groups is sorted by name. It has the groups with members and the expected ones.
	Groups []GroupState
}

// staleAfter is how long any source may stay unread, because some sources are only read by scrapes.
const staleAfter = 3 * time.Minute

// LabelText returns free text as it is in a label.
func (s *Snapshot) LabelText(text string) string {
	if s.TextLimit <= 0 {
		return text
	}
	return tracker.Shorten(text, s.TextLimit)
}

// A GroupState is a group as the last poll left it that knew the group as a whole.
type GroupState struct {
	Name string
	// InService is how many members are in service, and Down how many of them are down, as of LastKnown. A member whose row
	// is damaged counts in both if it was down before, and else in neither.
	InService, Down int
	// Known reports that the last poll knew the group as a whole. It is false while the source or the group can't be read, and
	// while a member has [MemberState.InDoubt].
	Known bool
	// LastKnown is when the last poll ended that knew the group, by this machine's clock; zero: none did.
	LastKnown time.Time
}

// A MemberState is a member as it was last seen, with its state.
type MemberState struct {
	drivers.Member
	// Host is the name of the machine that the member runs on: see [hosts.Naming]. Empty: it has none.
	Host    string
	service string // see [hosts.Naming.Service]
	State   State
	// InDoubt reports that the state is unknown although the source can be read, and that the member may be up, so that
	// counts of its group would be wrong without it. It is false for a member whose entry is damaged: damage may last.
	InDoubt bool
	// Fenced reports that the member is forced down and was dead before, as a fencing agent leaves it. A member that was
	// up when it was forced down, or that was forced down when it was first seen, is out of service on purpose.
	Fenced bool
	// InService reports that the member is meant to be up: no operator has disabled it, and it is not forced down or is fenced.
	InService bool
	// DecidedDown reports that the member is in service and down by the last verdict on it. It stays while the source, the
	// group or the member's row can't be read. This is what alerts.
	DecidedDown bool
	// Since is when this program saw the last change of state, or first saw the member, by this machine's clock.
	Since time.Time
	// DownSince is since when the member is down by the last verdict on it, by this machine's clock: see
	// [tracker.Member.DownSince]. It is zero if the verdict is another. If DownSinceKnown is false, the member may have been
	// down for longer.
	DownSince      time.Time
	DownSinceKnown bool
	// Suspected reports that the member's heartbeat is overdue although it is up by the service's own rule. The times are by this
	// machine's clock: since when this program has suspected it, and its last proof of life. They are zero if it is not suspected.
	Suspected                   bool
	SuspectedSince, SilentSince time.Time
	// Late reports that the member is silent for longer than its interval and a tolerance, but was not suspected yet.
	Late bool
	// Interval is the learned time between the member's heartbeats, zero if it is not regular or not known.
	Interval time.Duration
	// NotSuspected is why the member can't be suspected: one of [tracker.NotSuspectedReasons], empty if it can or is.
	NotSuspected string
	// Transitions is the number of deaths and recoveries seen.
	Transitions uint64
}

// InStateSince returns since when the member is in its state: see [MemberState.DownSince] and [MemberState.Since].
func (m *MemberState) InStateSince() time.Time {
	if m.DownSince.IsZero() {
		return m.Since
	}
	return m.DownSince
}

// Overdue returns for how long the heartbeat of a suspected member is overdue at a time of this machine's clock.
func (m *MemberState) Overdue(now time.Time) time.Duration {
	return max(now.Sub(m.SilentSince)-m.Interval, 0)
}

// memberStates returns the members for a snapshot.
func memberStates(t *tracker.Tracker, naming *hosts.Naming, readable bool) []MemberState {
	members := t.Members()
	states := make([]MemberState, len(members))
	for i, m := range members {
		states[i] = MemberState{
			Member: m.Member, Host: naming.Host(m.Name), service: naming.Service(m.Name), Fenced: m.Fenced, InService: m.InService(), DecidedDown: m.DecidedDown(),
			Since: m.Since.Wall, Transitions: m.Transitions,
			Late: m.Late(), Interval: m.Interval(), NotSuspected: t.NotSuspected(m),
		}
		var suspected tracker.SuspectedMember
		suspected, states[i].Suspected = m.Suspected()
		states[i].SuspectedSince, states[i].SilentSince = suspected.Since, suspected.SilentSince
		states[i].DownSince, states[i].DownSinceKnown = m.DownSince()
		if readable {
			states[i].State, states[i].InDoubt = m.State(), m.InDoubt()
		}
	}
	return states
}

// groupStates returns the groups for a snapshot.
func groupStates(t *tracker.Tracker, readable bool) []GroupState {
	groups := t.Groups()
	states := make([]GroupState, len(groups))
	for i := range groups {
		g := &groups[i]
		states[i] = GroupState{
			Name: g.Name, InService: g.InService, Down: g.DecidedDown, Known: readable && !g.InDoubt, LastKnown: g.LastKnown,
		}
	}
	return states
}

package collector

import (
	"time"

	"servicegroup_exporter/drivers"
)

// State is what is known of a member.
type State uint8

// The states.
const (
	// Unknown is the state of every member of a source that can't be read, of a member that has given no proof of life
	// since its source came back but has not had the time to, and of one of whom the backend can say nothing for now.
	Unknown State = iota
	Up
	Down
)

// String gives the state as a word: unknown, up or down.
func (s State) String() string {
	switch s {
	case Up:
		return "up"
	case Down:
		return "down"
	default:
		return "unknown"
	}
}

// stateOf gives the state that a word means, Unknown if none.
func stateOf(word string) State {
	for _, s := range []State{Up, Down} {
		if s.String() == word {
			return s
		}
	}
	return Unknown
}

// A Snapshot is what is known of one source after a poll. It never changes.
type Snapshot struct {
	Source                 string
	Driver, Schema, Layout string
	Backend                string // the server and its version, where it says so
	Readable               bool   // the last poll succeeded
	Err                    error  // why not; nil too before the first poll
	Reason                 drivers.Reason
	LastAttempt            time.Time     // when the last poll ended, zero before the first
	LastSuccess            time.Time     // when the last successful poll ended, also in an earlier process if remembered
	PollDuration           time.Duration // of the last poll
	ClockOffset            time.Duration // the backend's clock less this machine's
	HasClock               bool          // ClockOffset is known
	DownTime               time.Duration // how long members may be silent, zero before the first successful poll
	Catalogue              bool          // see [drivers.Poll.Catalogue]

	// Members is sorted by group and name. While the source can't be read it holds what was known before, with every
	// state Unknown.
	Members []MemberState
}

// A MemberState is a member as it was last seen, and what its source's tracker makes of it.
type MemberState struct {
	drivers.Member
	State State
	// InDoubt tells that the state is unknown although the source can be read, and that the member may well be up: its
	// group should not be judged without it. It is false for one whose entry is damaged, which may stay so for ever.
	InDoubt bool
	// Fenced tells of a member that is forced down whether it was dead before, as one that a fencing agent forced down
	// is. One that was up, or was first seen forced down, is out of service on purpose.
	Fenced bool
	// Since is when this program saw the last change of state, or first saw the member, by this machine's clock.
	Since time.Time
	// Transitions is the number of deaths and recoveries seen.
	Transitions uint64
}

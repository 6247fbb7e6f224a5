package tracker

import (
	"time"

	"servicegroup_exporter/drivers"
)

// An EventType is what happened to a member.
type EventType string

// The types of events that a [Tracker] reports. The first poll of a source reports none of them, unless a saved state tells
// what was before.
const (
	EventDeath      EventType = "death"       // its proofs of life ended
	EventRecovery   EventType = "recovery"    // a member that had died is up again
	EventJoin       EventType = "join"        // a new member, up or down
	EventLeave      EventType = "leave"       // it was removed on purpose
	EventForcedDown EventType = "forced_down" // an operator forced it down while it was up
	EventForcedUp   EventType = "forced_up"   // it is no longer forced down, and is up
	EventForgotten  EventType = "forgotten"   // a dead member that the backend no longer lists is no longer remembered

	EventSuspect EventType = "suspect" // its heartbeat is overdue, though it is up by the service's own rule: see suspicion.go
	EventConfirm EventType = "confirm" // it was suspected, and is down by the service's own rule
	EventRefute  EventType = "refute"  // it was suspected, and has reported
)

// An Outcome is how a suspicion ended: a closed set.
type Outcome string

// The outcomes.
const (
	OutcomeConfirmed Outcome = "confirmed" // the member is down by the service's own rule
	OutcomeRefuted   Outcome = "refuted"   // the member reported
	OutcomeLeft      Outcome = "left"      // the member was removed on purpose
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome { return []Outcome{OutcomeConfirmed, OutcomeRefuted, OutcomeLeft} }

// noEvent is the type of an event that does not take place.
const noEvent EventType = ""

// An Event is a change that a poll found.
type Event struct {
	// ID grows from one event to the next, also over restarts. It is 0 until the event is sent.
	ID     int64
	Time   time.Time // when this program saw the change, by this machine's clock
	Type   EventType
	Source string
	// Member is the member as last seen; it is empty for events of a source.
	Member drivers.Member
	// Latency is, for a death, the detection latency: from the last proof of life to Time. For a recovery it is how long
	// the member was down: from the last proof of life before its death to Time.
	Latency    time.Duration
	HasLatency bool // Latency is known
	// Outcome is how a suspicion of the member ended with this event, empty if none did.
	Outcome Outcome
	// Err is why a source can't be read; nil for events of a member.
	Err error
}

// Changes are what one poll changed.
type Changes struct {
	Events []Event
	// Rejected counts the entries of the poll that could not be used, by reason: see [RejectionReasons].
	Rejected map[string]int
	// LongNames is how many of them have names that are longer than [Settings.NameLimit].
	LongNames int
	// Decisions reports that the poll changed who is decided to be down.
	Decisions bool
	// NewGroups and GoneGroups name the groups that the Tracker now knows and did not know before, and the reverse.
	NewGroups, GoneGroups []string
	// Recheck is how soon the source should be polled again because the grace of a member ends; zero if no member is
	// in grace.
	Recheck time.Duration
	// PollAt is when to poll the source next because the limit of a late member ends then; zero: no member is late.
	PollAt Instant
}

// The reasons for which an entry of a poll is rejected. Drivers may give the first two as [drivers.Rejection.Reason]; any
// other word of a driver counts as data.
const (
	rejectedName      = "name"
	rejectedDuplicate = "duplicate"
	rejectedData      = "data"
	rejectedLimit     = "limit"
)

// RejectionReasons returns all keys that [Changes.Rejected] may have.
func RejectionReasons() []string {
	return []string{rejectedName, rejectedDuplicate, rejectedData, rejectedLimit}
}

func rejectionReason(word string) string {
	if word == rejectedName || word == rejectedDuplicate {
		return word
	}
	return rejectedData
}

package collector

import (
	"time"

	"servicegroup_exporter/drivers"
)

// EventType is what happened.
type EventType string

// The events. Nothing is sent about what the first poll of a source finds, unless a memory tells what was before.
const (
	EventDeath      EventType = "death"       // proofs of life ended
	EventRecovery   EventType = "recovery"    // a member that had died is back
	EventJoin       EventType = "join"        // a new member, up or down
	EventLeave      EventType = "leave"       // removed on purpose
	EventForcedDown EventType = "forced_down" // an operator forced it down while it was up
	EventForcedUp   EventType = "forced_up"   // no longer forced down, and up
	EventForgotten  EventType = "forgotten"   // dead and unseen for so long that it is no longer remembered
	EventSourceLost EventType = "source_lost" // the source can't be read
	EventSourceBack EventType = "source_back" // it can be read again
)

// An Event is a change that a poll brought to light. The snapshots show it by the time it is sent.
type Event struct {
	Time   time.Time // when this program saw it, by this machine's clock
	Type   EventType
	Source string
	// Member is the member as last seen; empty for events of a source.
	Member drivers.Member
	// Latency is the detection latency of a death (from the last proof of life to Time) and the duration of the
	// outage for a recovery (from the last proof of life before it to Time).
	Latency    time.Duration
	HasLatency bool
	// Err is why a source was lost.
	Err error
}

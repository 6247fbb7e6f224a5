package collector

import "servicegroup_exporter/collector/tracker"

// Event is a change that a poll found. The snapshots have it by the time it is sent.
type Event = tracker.Event

// EventType is what happened.
type EventType = tracker.EventType

// The types of events of members, and two of sources. No event is sent about what the first poll of a source finds,
// unless a state file tells what was before.
const (
	EventDeath                = tracker.EventDeath
	EventRecovery             = tracker.EventRecovery
	EventJoin                 = tracker.EventJoin
	EventLeave                = tracker.EventLeave
	EventForcedDown           = tracker.EventForcedDown
	EventForcedUp             = tracker.EventForcedUp
	EventForgotten            = tracker.EventForgotten
	EventSuspect              = tracker.EventSuspect
	EventConfirm              = tracker.EventConfirm
	EventRefute               = tracker.EventRefute
	EventSourceLost EventType = "source_lost" // the source can't be read
	EventSourceBack EventType = "source_back" // it can be read again
)

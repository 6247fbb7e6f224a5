package tracker

import (
	"errors"
	"time"

	"servicegroup_exporter/drivers"
)

// A SavedEvent is an [Event] in a state file.
type SavedEvent struct {
	ID         int64         `json:"id"`
	Time       time.Time     `json:"time"`
	Type       EventType     `json:"event"`
	Group      string        `json:"group,omitempty"` // empty for an event of the source
	Name       string        `json:"name,omitempty"`
	Binary     string        `json:"binary,omitempty"`
	Zone       string        `json:"zone,omitempty"`
	Latency    time.Duration `json:"latency_ns,omitempty"`
	HasLatency bool          `json:"has_latency,omitempty"`
	Outcome    Outcome       `json:"outcome,omitempty"`
	Err        string        `json:"error,omitempty"`
}

// SaveEvent returns an event as the state file of its source has it: what events show, and not the whole member.
func SaveEvent(e *Event) SavedEvent {
	s := SavedEvent{
		ID: e.ID, Time: e.Time, Type: e.Type,
		Group: e.Member.Group, Name: e.Member.Name, Binary: e.Member.Binary, Zone: e.Member.Zone,
		Latency: e.Latency, HasLatency: e.HasLatency, Outcome: e.Outcome,
	}
	if e.Err != nil {
		s.Err = e.Err.Error()
	}
	return s
}

// Restore returns the event of a source.
func (s *SavedEvent) Restore(source string) Event {
	e := Event{
		ID: s.ID, Time: s.Time, Type: s.Type, Source: source,
		Member:  drivers.Member{Group: s.Group, Name: s.Name, Binary: s.Binary, Zone: s.Zone},
		Latency: s.Latency, HasLatency: s.HasLatency, Outcome: s.Outcome,
	}
	if s.Err != "" {
		e.Err = errors.New(s.Err)
	}
	return e
}

// valid reports whether a collector can have saved this: an event is of a member or of the source.
func (s *SavedEvent) valid() bool {
	return s.ID > 0 && !s.Time.IsZero() && s.Type != noEvent &&
		(s.Group == "" && s.Name == "" || validName(s.Group) && validName(s.Name))
}

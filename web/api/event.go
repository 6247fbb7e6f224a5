package api

import (
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/tracker"
)

// An Event is an event of the collector as the API returns it.
type Event struct {
	ID             int64               `json:"id"`
	Time           time.Time           `json:"time"`
	Event          collector.EventType `json:"event"`
	Source         string              `json:"source"`
	Group          string              `json:"group,omitempty"` // empty for an event of a source, as are the other attributes
	Member         string              `json:"member,omitempty"`
	Binary         string              `json:"binary,omitempty"`
	Zone           string              `json:"zone,omitempty"`
	LatencySeconds *float64            `json:"latency_seconds,omitempty"`
	Outcome        tracker.Outcome     `json:"outcome,omitempty"` // of a suspicion that ended with the event
	Error          string              `json:"error,omitempty"`
}

func newEvent(e *collector.Event) *Event {
	event := &Event{
		ID: e.ID, Time: e.Time.UTC(), Event: e.Type, Source: e.Source,
		Group: e.Member.Group, Member: e.Member.Name, Binary: e.Member.Binary, Zone: e.Member.Zone, Outcome: e.Outcome,
	}
	if e.HasLatency {
		event.LatencySeconds = new(e.Latency.Seconds())
	}
	if e.Err != nil {
		event.Error = e.Err.Error()
	}
	return event
}

// A filter selects events. An empty field matches every event.
type filter struct{ source, group, member string }

func newFilter(q query) filter { return filter{q["source"], q["group"], q["member"]} }

func (f filter) matches(e *Event) bool {
	return (f.source == "" || f.source == e.Source) &&
		(f.group == "" || f.group == e.Group) &&
		(f.member == "" || f.member == e.Member)
}

// defaultEvents is how many events an answer has at most, unless the client asks for another limit.
const defaultEvents = 1000

type eventsAnswer struct {
	Events []*Event `json:"events"` // newest first
}

func (a *api) events(q query) (any, error) {
	after, err := q.number("after", 0)
	if err != nil {
		return nil, err
	}
	limit, err := q.number("limit", defaultEvents)
	if err != nil {
		return nil, err
	}
	return eventsAnswer{a.History.newest(newFilter(q), after, limit)}, nil
}

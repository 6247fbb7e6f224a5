package api

import (
	"time"

	"servicegroup_exporter/collector"
)

// An Event is something that happened, as it is written.
type Event struct {
	// ID grows from one event to the next, over restarts as well. It is exact as a number of JavaScript.
	ID             int64               `json:"id"`
	Time           time.Time           `json:"time"`
	Event          collector.EventType `json:"event"`
	Source         string              `json:"source"`
	Group          string              `json:"group,omitempty"` // like the other attributes empty for events of a source
	Member         string              `json:"member,omitempty"`
	Binary         string              `json:"binary,omitempty"`
	Zone           string              `json:"zone,omitempty"`
	LatencySeconds *float64            `json:"latency_seconds,omitempty"`
	Error          string              `json:"error,omitempty"`
}

func newEvent(id int64, e *collector.Event) *Event {
	event := &Event{
		ID: id, Time: e.Time.UTC(), Event: e.Type, Source: e.Source,
		Group: e.Member.Group, Member: e.Member.Name, Binary: e.Member.Binary, Zone: e.Member.Zone,
	}
	if e.HasLatency {
		event.LatencySeconds = new(e.Latency.Seconds())
	}
	if e.Err != nil {
		event.Error = e.Err.Error()
	}
	return event
}

// A filter says which events are wanted. What is empty leaves everything.
type filter struct{ source, group, member string }

func newFilter(q query) filter { return filter{q["source"], q["group"], q["member"]} }

func (f filter) wants(e *Event) bool {
	return (f.source == "" || f.source == e.Source) &&
		(f.group == "" || f.group == e.Group) &&
		(f.member == "" || f.member == e.Member)
}

type eventsAnswer struct {
	Events []*Event `json:"events"` // newest first
}

func (a *api) events(q query) (any, error) {
	after, err := q.number("after", 0)
	if err != nil {
		return nil, err
	}
	_, limit, err := q.window()
	if err != nil {
		return nil, err
	}
	events := a.History.newest(newFilter(q), after)
	return eventsAnswer{events[:min(limit, int64(len(events)))]}, nil
}

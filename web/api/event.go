package api

import (
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
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

// A Filter selects events and alerts. An empty field matches all.
type Filter struct {
	Source, Group, Member, Host string
	onHost                      map[collector.MemberKey]bool // the members on Host
}

// newFilter returns the filter of a query. Its host, if it has one, has the members of the snapshots.
func newFilter(q query, snapshots []collector.Snapshot) Filter {
	return Filter{Source: q["source"], Group: q["group"], Member: q["member"]}.On(q["host"], snapshots)
}

// On returns a filter that also selects by host. An event has no host: those about the members that are on it by now match.
func (f Filter) On(host string, snapshots []collector.Snapshot) Filter {
	if f.Host = host; host == "" {
		return f
	}
	f.onHost = map[collector.MemberKey]bool{}
	for i := range snapshots {
		s := &snapshots[i]
		for j := range s.Members {
			if m := &s.Members[j]; m.Host == host {
				f.onHost[collector.MemberKey{Source: s.Source, Key: m.Key()}] = true
			}
		}
	}
	return f
}

func (f *Filter) matches(e *Event) bool {
	return (f.Source == "" || f.Source == e.Source) &&
		(f.Group == "" || f.Group == e.Group) &&
		(f.Member == "" || f.Member == e.Member) &&
		(f.Host == "" || f.onHost[collector.MemberKey{Source: e.Source, Key: drivers.Key{Group: e.Group, Name: e.Member}}])
}

// MatchesAlert reports whether the filter selects an alert.
func (f *Filter) MatchesAlert(id alerts.ID) bool {
	return (f.Source == "" || f.Source == id.Source) &&
		(f.Group == "" || f.Group == id.Group) &&
		(f.Member == "" || f.Member == id.Member) &&
		(f.Host == "" || f.Host == id.Host)
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
	return eventsAnswer{a.History.Newest(newFilter(q, a.Collector.Snapshots()), after, limit)}, nil
}

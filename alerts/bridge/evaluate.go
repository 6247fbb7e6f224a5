package bridge

import (
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// A condition is the condition of an alert that holds.
type condition struct {
	since time.Time // zero: it is not known since when
	// retained reports that the condition was true when it could last be evaluated, and can't be evaluated now.
	retained bool
	hold     time.Duration // how long the condition must be true before the alert fires
	facts    alerts.Facts
}

// evaluate returns the alerts whose conditions hold, from the collector's snapshot of each source. The snapshots have the
// decisions which member is down, and how many of a group are. They also have the last decisions on what can't be read now.
func evaluate(snapshots []collector.Snapshot, builder *alerts.Builder) map[alerts.ID]condition {
	holds := map[alerts.ID]condition{}
	for i := range snapshots {
		s := &snapshots[i]
		for j := range s.Members {
			if id, c, holding := memberAlert(s, &s.Members[j]); holding {
				holds[id] = c
			}
		}
		inService, down, retained := 0, 0, false // of the whole source
		for _, g := range s.Groups {
			retained = retained || !g.Known
			if g.LastKnown.IsZero() {
				continue // No poll knew the group.
			}
			inService, down = inService+g.InService, down+g.Down
			for _, id := range builder.GroupAlerts(s.Source, g.Name, g.InService, g.Down) {
				holds[id] = condition{retained: !g.Known, facts: alerts.Facts{InService: g.InService, Down: g.Down}}
			}
		}
		for _, id := range builder.SourceAlerts(s.Source, inService, down) {
			holds[id] = condition{retained: retained, facts: alerts.Facts{InService: inService, Down: down}}
		}
		for _, p := range s.Problems { // More than one group may have the same problem.
			id := alerts.ID{Alert: alerts.SourceProblem, Source: s.Source, Problem: string(p.Kind)}
			holds[id] = condition{retained: !s.Readable, hold: alerts.SourceProblemHold}
		}
	}
	return holds
}

// memberAlert returns the alert about a member that is down or suspected. It is false for other members.
func memberAlert(s *collector.Snapshot, m *collector.MemberState) (id alerts.ID, c condition, holds bool) {
	switch {
	case m.DecidedDown:
		id, c.since = memberDown(s.Source, &m.Member), m.Since
		if m.DownSinceKnown {
			c.facts.Since = m.DownSince
		}
	case m.Suspected && m.InService:
		id, c.since, c.facts.Since = memberDown(s.Source, &m.Member), m.SuspectedSince, m.SilentSince
		id.Alert = alerts.MemberSuspected
	default:
		return alerts.ID{}, condition{}, false
	}
	id.Binary, id.Zone, id.Host = s.LabelText(m.Binary), s.LabelText(m.Zone), m.Host
	c.retained = m.State == collector.Unknown
	return id, c, true
}

// memberDown returns the ID of the alert about a member that is down, without the attributes of the member.
func memberDown(source string, m *drivers.Member) alerts.ID {
	return alerts.ID{Alert: alerts.MemberDown, Source: source, Group: m.Group, Member: m.Name}
}

// undecided returns a function that reports whether a source may still turn out to have alerts of an earlier run: it has no
// snapshot but may still be found, or no poll of it has succeeded in this run.
func undecided(snapshots []collector.Snapshot, pending func(source string) bool) func(source string) bool {
	polled := map[string]bool{}
	for i := range snapshots {
		polled[snapshots[i].Source] = snapshots[i].Polled
	}
	return func(source string) bool {
		isPolled, found := polled[source]
		return found && !isPolled || !found && pending(source)
	}
}

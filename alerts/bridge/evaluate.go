package bridge

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
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
	found := collector.Hosts(snapshots, collector.HasDead(snapshots))
	addHosts(holds, found, builder)
	if len(found) > 1 { // A zone is down with at least two hosts.
		addZones(holds, snapshots)
	}
	causes := collector.CausesOf(found)
	for i := range snapshots {
		s := &snapshots[i]
		for j := range s.Members {
			if id, c, holding := memberAlert(s, &s.Members[j]); holding {
				c.facts.Cause = causes[collector.MemberKey{Source: s.Source, Key: s.Members[j].Key()}]
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

// addHosts adds the alerts about hosts that are down.
func addHosts(holds map[alerts.ID]condition, found []collector.Host, builder *alerts.Builder) {
	for i := range found {
		h := &found[i]
		if !h.IsDown() || h.IsSuspected() && builder.WaitsForConfirmation() {
			continue
		}
		holds[alerts.ID{Alert: alerts.HostDown, Host: h.Name, Zone: h.ZoneLabel()}] = condition{
			retained: h.Retained(),
			facts:    alerts.Facts{Since: h.LastProof, Confirmed: !h.IsSuspected(), Services: servicesOn(h)},
		}
	}
}

// addZones adds the alerts about zones that are down: in one source, while no source has a member that is up in a zone of that name.
// Otherwise a service has failed, or the way of its heartbeats.
func addZones(holds map[alerts.ID]condition, snapshots []collector.Snapshot) {
	zones := make([][]hosts.Zone, len(snapshots))
	isAlive := map[string]bool{}
	for i := range snapshots {
		zones[i] = snapshots[i].Zones()
		for _, z := range zones[i] {
			isAlive[z.Name] = isAlive[z.Name] || z.InService > z.Down
		}
	}
	for i := range snapshots {
		for _, z := range zones[i] {
			if z.IsDown() && !isAlive[z.Name] {
				holds[alerts.ID{Alert: alerts.ZoneDown, Source: snapshots[i].Source, Zone: z.Name}] = condition{
					retained: !snapshots[i].Readable, facts: alerts.Facts{InService: z.InService, Down: z.Down, Hosts: z.Hosts},
				}
			}
		}
	}
}

// servicesOn returns the services on a host.
func servicesOn(h *collector.Host) []alerts.Service {
	members := map[alerts.Service]int{}
	for i := range h.Members {
		if m := &h.Members[i]; m.InService {
			members[alerts.Service{Source: m.Source.Source, Group: m.Group, Binary: m.Source.LabelText(m.Binary)}]++
		}
	}
	var services []alerts.Service
	for service, n := range members {
		service.Members = n
		services = append(services, service)
	}
	slices.SortFunc(services, func(a, b alerts.Service) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Binary, b.Binary))
	})
	return services
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

// undecided returns a function that reports whether an alert whose condition does not hold may still turn out to hold. That is so for
// an alert of an earlier run if its source has no snapshot but may still be found, or if no poll of it has succeeded in this run.
func undecided(snapshots []collector.Snapshot, pending func(source string) bool) func(id alerts.ID, facts *alerts.Facts) bool {
	polled := map[string]bool{}
	for i := range snapshots {
		polled[snapshots[i].Source] = snapshots[i].Polled
	}
	isUndecided := func(source string) bool {
		isPolled, found := polled[source]
		return found && !isPolled || !found && pending(source)
	}
	return func(id alerts.ID, facts *alerts.Facts) bool {
		if id.Alert == alerts.HostDown {
			return undecidedHost(snapshots, id.Host, facts, isUndecided)
		}
		return isUndecided(id.Source)
	}
}

// undecidedHost reports the same for an alert about a host. It rests on the sources of its services, and ends when one member on the
// host has reported. After a restart this program needs some time to see again that a member is late.
func undecidedHost(snapshots []collector.Snapshot, host string, facts *alerts.Facts, isUndecided func(source string) bool) bool {
	const tolerance = time.Second // Times are by this machine's clock, which is compared with that of the backend at each poll.
	found := collector.Hosts(snapshots, func(name string) bool { return name == host })
	if len(found) > 0 && found[0].LastProof.After(facts.Since.Add(tolerance)) {
		return false
	}
	return len(found) > 0 && found[0].InService > 1 ||
		slices.ContainsFunc(facts.Services, func(s alerts.Service) bool { return isUndecided(s.Source) })
}

package collector

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// A Host is a machine, as the members of all sources show it that run on it.
type Host struct {
	hosts.State
	// Zone is the zone of the host. If the zones of its members differ, it is the one with the fewest hosts, because that says most
	// about where the host is: Nova's availability zone and not Neutron's default. Members that are out of service count too, so
	// that the zone stays when a service of a dead host is disabled. Empty: it has none.
	Zone string
	// LastProof is the newest proof of life of any member on the host, by this machine's clock. Zero: there is none.
	LastProof time.Time
	// Members are sorted by source, group and name. There is at least one.
	Members []HostMember
}

// A HostMember is a member on a host.
type HostMember struct {
	*MemberState
	Source *Snapshot
	// LastProof is the member's last proof of life, by this machine's clock. Zero: none is known.
	LastProof time.Time
	// Cause is why the member is down; empty for a member that is not in service and down.
	Cause hosts.Cause
}

// IsSilent reports whether the member gives no proof that its host is alive.
func (m *HostMember) IsSilent() bool {
	on := m.onHost()
	return on.IsSilent()
}

// ZoneLabel returns the zone as it is in a label.
func (h *Host) ZoneLabel() string { return h.Members[0].Source.LabelText(h.Zone) }

// Retained reports whether what is known of the host is partly from before an outage that lasts.
func (h *Host) Retained() bool {
	return slices.ContainsFunc(h.Members, func(m HostMember) bool { return !m.Source.Readable })
}

// Hosts returns the hosts of all sources for which want returns true, sorted by name. Nil wants all. A host with one service is
// among them: see [hosts.State.IsKnown].
func Hosts(snapshots []Snapshot, want func(host string) bool) []Host {
	index := map[string]int{}
	var found []Host
	flags := make([][]hosts.Member, len(snapshots))
	for i := range snapshots {
		s := &snapshots[i]
		for j := range s.Members {
			m := &s.Members[j]
			if m.Host == "" || want != nil && !want(m.Host) {
				continue
			}
			at, known := index[m.Host]
			if !known {
				at = len(found)
				index[m.Host] = at
				found = append(found, Host{})
			}
			flags[i] = append(flags[i], m.onHost())
			found[at].Members = append(found[at].Members, HostMember{MemberState: m, Source: s, LastProof: s.lastProof(m)})
		}
	}
	for _, state := range hosts.States(flags) {
		found[index[state.Name]].State = state
	}
	slices.SortFunc(found, func(a, b Host) int { return cmp.Compare(a.Name, b.Name) })
	if len(found) == 0 {
		return nil
	}
	sizes := zoneSizes(snapshots)
	for i := range found {
		found[i].complete(sizes)
	}
	return found
}

// HasDead returns a function for [Hosts] that reports whether a member on a host is down or suspected, and in service.
func HasDead(snapshots []Snapshot) func(host string) bool {
	dead := map[string]bool{}
	for i := range snapshots {
		for j := range snapshots[i].Members {
			if m := &snapshots[i].Members[j]; m.DecidedDown || m.Suspected && m.InService {
				dead[m.Host] = true
			}
		}
	}
	return func(host string) bool { return dead[host] }
}

// Zones returns the zones of the source, with their names in labels, sorted by these.
func (s *Snapshot) Zones() []hosts.Zone {
	members := make([]hosts.Member, len(s.Members))
	for i := range s.Members {
		members[i] = s.Members[i].onHost()
		members[i].Zone = s.LabelText(members[i].Zone)
	}
	return hosts.Zones(members)
}

// A MemberKey identifies a member of any source.
type MemberKey struct {
	Source string
	drivers.Key
}

// Causes returns why each member is down that is in service and down.
func Causes(snapshots []Snapshot) map[MemberKey]hosts.Cause {
	return CausesOf(Hosts(snapshots, HasDead(snapshots)))
}

// CausesOf returns the same as [Causes], by the hosts that [Hosts] has found.
func CausesOf(found []Host) map[MemberKey]hosts.Cause {
	causes := map[MemberKey]hosts.Cause{}
	for _, h := range found {
		for i := range h.Members {
			if m := &h.Members[i]; m.Cause != "" {
				causes[MemberKey{m.Source.Source, m.Key()}] = m.Cause
			}
		}
	}
	return causes
}

// complete sets what the members show of the host. The sizes come from [zoneSizes].
func (h *Host) complete(sizes map[string]int) {
	zones := map[string]bool{}
	for i := range h.Members {
		m := &h.Members[i]
		if m.LastProof.After(h.LastProof) {
			h.LastProof = m.LastProof
		}
		if m.Zone != "" {
			zones[m.Zone] = true
		}
		if m.DecidedDown {
			m.Cause = hosts.CauseOf(&h.State, m.LastProof, m.expected(), h.reportedBeside(i))
		}
	}
	for zone := range zones {
		if h.Zone == "" || cmp.Or(cmp.Compare(sizes[zone], sizes[h.Zone]), cmp.Compare(zone, h.Zone)) < 0 {
			h.Zone = zone
		}
	}
}

// reportedBeside returns the newest proof of life of all members but one.
func (h *Host) reportedBeside(member int) time.Time {
	var newest time.Time
	for i := range h.Members {
		if i != member && h.Members[i].LastProof.After(newest) {
			newest = h.Members[i].LastProof
		}
	}
	return newest
}

// expected returns within which time of its last proof of life a member gives the next one.
func (m *HostMember) expected() time.Duration {
	if m.Interval > 0 {
		return tracker.LateAfter(m.Interval)
	}
	return cmp.Or(m.SessionTimeout, m.Source.DownTime)
}

// zoneSizes returns on how many hosts the members of each zone are that are in service.
func zoneSizes(snapshots []Snapshot) map[string]int {
	type place struct{ zone, host string }
	seen, sizes := map[place]bool{}, map[string]int{}
	for i := range snapshots {
		for j := range snapshots[i].Members {
			m := &snapshots[i].Members[j]
			if at := (place{m.Zone, m.Host}); m.InService && m.Zone != "" && !seen[at] {
				seen[at] = true
				sizes[m.Zone]++
			}
		}
	}
	return sizes
}

// onHost returns what the state of its host depends on.
func (m *MemberState) onHost() hosts.Member {
	return hosts.Member{
		Host: m.Host, Group: m.Group, Zone: m.Zone, Service: m.service,
		InService: m.InService, Down: !m.DownSince.IsZero(), Suspected: m.Suspected, Late: m.Late,
	}
}

// lastProof returns the last proof of life of a member, by this machine's clock.
func (s *Snapshot) lastProof(m *MemberState) time.Time {
	switch {
	case !m.DownSince.IsZero():
		return m.DownSince
	case m.Suspected && !m.SilentSince.IsZero():
		return m.SilentSince
	case !m.LastHeartbeat.IsZero():
		return m.LastHeartbeat.Add(-s.ClockOffset)
	case s.LastSuccess.IsZero():
		return time.Time{}
	default:
		return s.LastSuccess.Add(-cmp.Or(m.SessionTimeout, s.DownTime))
	}
}

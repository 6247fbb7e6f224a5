package bridge

import (
	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
)

// A hostView is a host that is down as one exporter sees it.
type hostView struct {
	collector.Host

	by *target
}

// A groupName identifies a group of any source.
type groupName struct{ source, group string }

// combineHosts returns the alerts about the hosts that are down by what several exporters together say: one says so, for each member
// in service on the host one whose word counts says so, and none that knows all its groups says that the host is up.
func combineHosts(seen []*target) []alerts.ID {
	views := map[string][]hostView{}
	isUp := map[string]bool{}
	for _, t := range seen {
		for _, h := range collector.Hosts(t.last, nil) {
			switch {
			case h.IsDown():
				views[h.Name] = append(views[h.Name], hostView{h, t})
			case h.IsKnown() && t.isScraped() && knowsAll(t):
				isUp[h.Name] = true
			}
		}
	}
	voters := votersOf(seen)
	var down []alerts.ID
	for name, all := range views {
		var newest *hostView
		for i := range all {
			if v := &all[i]; !isUp[name] && v.isVouchedFor(all, voters) && (newest == nil || v.LastProof.After(newest.LastProof)) {
				newest = v
			}
		}
		if newest != nil {
			down = append(down, alerts.ID{Alert: alerts.HostDown, Host: name, Zone: newest.ZoneLabel()})
		}
	}
	return down
}

// isVouchedFor reports whether for each member in service on the host an exporter says so whose word counts about its group.
func (v *hostView) isVouchedFor(all []hostView, voters map[groupName][]*target) bool {
	vouched := map[collector.MemberKey]bool{}
	for _, other := range all {
		for _, m := range other.Members {
			for _, voter := range voters[groupName{m.Source.Source, m.Group}] {
				if voter == other.by && m.InService {
					vouched[collector.MemberKey{Source: m.Source.Source, Key: m.Key()}] = true
				}
			}
		}
	}
	for _, m := range v.Members {
		if m.InService && !vouched[collector.MemberKey{Source: m.Source.Source, Key: m.Key()}] {
			return false
		}
	}
	return true
}

// votersOf returns the exporters whose word counts about each group: those that know it, or else the one with the newest knowledge.
func votersOf(seen []*target) map[groupName][]*target {
	knowing, newest := map[groupName][]*target{}, map[groupName]*target{}
	last := map[groupName]collector.GroupState{}
	for _, t := range seen {
		for i := range t.last {
			for _, g := range t.last[i].Groups {
				name := groupName{t.last[i].Source, g.Name}
				if t.isScraped() && g.Known {
					knowing[name] = append(knowing[name], t)
				}
				if newest[name] == nil || g.LastKnown.After(last[name].LastKnown) {
					newest[name], last[name] = t, g
				}
			}
		}
	}
	for name, t := range newest {
		if knowing[name] == nil {
			knowing[name] = []*target{t}
		}
	}
	return knowing
}

// knowsAll reports whether an exporter knows all groups.
func knowsAll(t *target) bool {
	known := 0
	for i := range t.last {
		for _, g := range t.last[i].Groups {
			if !g.Known {
				return false
			}
			known++
		}
	}
	return known > 0
}

// A zoneName identifies a zone of a source.
type zoneName struct{ source, zone string }

// combineZones returns the alerts about the zones that are down by what the exporters together say whose word counts about their source:
// those that can read it, or else the one that read it last.
func combineZones(seen []*target) []alerts.ID {
	readable, newest := map[string][]*collector.Snapshot{}, map[string]*collector.Snapshot{}
	for _, t := range seen {
		for i := range t.last {
			s := &t.last[i]
			if t.isScraped() && s.Readable {
				readable[s.Source] = append(readable[s.Source], s)
			}
			if newest[s.Source] == nil || s.LastSuccess.After(newest[s.Source].LastSuccess) {
				newest[s.Source] = s
			}
		}
	}
	zones := map[zoneName]hosts.Zone{}
	for source, last := range newest {
		voters := readable[source]
		if voters == nil {
			voters = []*collector.Snapshot{last}
		}
		for _, s := range voters {
			for _, z := range s.Zones() {
				name := zoneName{source, z.Name}
				before, ok := zones[name]
				if ok {
					z.Down = min(z.Down, before.Down)
				}
				z.InService, z.Hosts = max(z.InService, before.InService), max(z.Hosts, before.Hosts)
				zones[name] = z
			}
		}
	}
	isAlive := map[string]bool{}
	for _, z := range zones {
		isAlive[z.Name] = isAlive[z.Name] || z.InService > z.Down
	}
	var down []alerts.ID
	for name, z := range zones {
		if z.IsDown() && !isAlive[z.Name] {
			down = append(down, alerts.ID{Alert: alerts.ZoneDown, Source: name.source, Zone: name.zone})
		}
	}
	return down
}

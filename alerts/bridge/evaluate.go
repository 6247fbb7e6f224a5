package bridge

import (
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
)

// evaluate evaluates the conditions of all alerts, from the collector's snapshot of each source.
//
// It returns the firing alerts, each with the time since when; a zero time means since now. For an alert that does not fire,
// unknown returns true if its condition can't be evaluated now, and false if the condition does not hold. The function
// pending returns whether a source without a snapshot may still be found.
func evaluate(snapshots []collector.Snapshot, builder *alerts.Builder, pending func(source string) bool) (
	firing map[alerts.ID]time.Time, unknown func(alerts.ID) bool,
) {
	firing = map[alerts.ID]time.Time{}
	readable := map[string]bool{}       // by source
	undecidable := map[alerts.ID]bool{} // IDs without the name of an alert: all alerts about that member, group or source
	for i := range snapshots {
		s := &snapshots[i]
		readable[s.Source] = s.Readable
		if s.Readable {
			evaluateSource(s, builder, firing, undecidable)
		}
	}
	return firing, func(id alerts.ID) bool {
		canRead, found := readable[id.Source]
		switch {
		case !found:
			return pending(id.Source)
		case !canRead:
			return true
		default:
			id.Alert = ""
			return undecidable[id]
		}
	}
}

// evaluateSource adds the alerts about one readable source to firing. To undecidable it adds the members whose state is
// unknown, and the groups and sources whose conditions depend on such a member.
func evaluateSource(s *collector.Snapshot, builder *alerts.Builder, firing map[alerts.ID]time.Time, undecidable map[alerts.ID]bool) {
	groups := map[string]alerts.Tally{}
	for i := range s.Members {
		m := &s.Members[i]
		tally := groups[m.Group]
		if m.State == collector.Unknown {
			undecidable[alerts.ID{Source: s.Source, Group: m.Group, Member: m.Name}] = true
		} else if alerts.InService(&m.Member, m.Fenced) {
			tally.InService++
			if m.State == collector.Down {
				tally.Down++
				firing[alerts.ID{Alert: alerts.MemberDown, Source: s.Source, Group: m.Group, Member: m.Name}] = m.Since
			}
		}
		if m.InDoubt { // The member is possibly up, unlike one whose entry is damaged.
			undecidable[alerts.ID{Source: s.Source, Group: m.Group}] = true
			undecidable[alerts.ID{Source: s.Source}] = true
		}
		groups[m.Group] = tally
	}
	if !s.ListsDatabases { // Such a source only lists other sources, as Nova's API database lists the cells.
		for _, group := range builder.ExpectedGroups(s.Source) {
			if _, exists := groups[group]; !exists {
				groups[group] = alerts.Tally{} // It has too few members.
			}
		}
	}
	add := func(ids []alerts.ID) {
		for _, id := range ids {
			firing[id] = time.Time{}
		}
	}
	var all alerts.Tally
	for group, tally := range groups {
		all.Add(tally)
		if !undecidable[alerts.ID{Source: s.Source, Group: group}] {
			add(builder.GroupAlerts(s.Source, group, tally))
		}
	}
	if !undecidable[alerts.ID{Source: s.Source}] {
		add(builder.SourceAlerts(s.Source, all))
	}
}

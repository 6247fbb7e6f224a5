package alerts

import (
	"slices"
	"strings"

	"servicegroup_exporter/config"
)

// The bridge evaluates the conditions of its alerts here. They equal the conditions of the rules without
// their "for": that compensates for scrapes that fail or are late, but one poll reads all members at the same instant. Only
// [SourceProblemHold] is for both.

// GroupAlerts returns the alerts about a group as a whole whose conditions hold, by how many of its members are in service,
// and how many of these are down.
func (b *Builder) GroupAlerts(source, group string, inService, down int) []ID {
	settings := b.config.groupOf(source, group)
	var ids []ID
	add := func(alert string, condition bool) {
		if condition {
			ids = append(ids, ID{Alert: alert, Source: source, Group: group})
		}
	}
	add(Outage, inService > 0 && down == inService)
	add(Degraded, down >= 2 && float64(down)/float64(inService) >= ratio(settings))
	add(BelowMinimum, settings != nil && inService-down < settings.MinMembers)
	return ids
}

// SourceAlerts returns the alerts about a source as a whole whose conditions hold, by the sums over its groups.
func (b *Builder) SourceAlerts(source string, inService, down int) []ID {
	if IsMassFailure(inService, down) {
		return []ID{{Alert: MassFailure, Source: source}}
	}
	return nil
}

// IsMassFailure returns whether so many members of a source are down that the backend or the network is to blame rather than the
// members.
func IsMassFailure(inService, down int) bool { return down >= 5 && 2*down > inService }

// BaseName returns the name of an alert without the severity that it ends with if that is not the default.
func BaseName(alert string) string {
	for _, severity := range config.Severities() {
		if name, ok := strings.CutSuffix(alert, capitalized(severity)); ok {
			return name
		}
	}
	return alert
}

// capitalized returns a severity as names of alerts end with it.
func capitalized(severity string) string { return strings.ToUpper(severity[:1]) + severity[1:] }

// IsPosted returns whether the bridge posts the alert with this base name.
func IsPosted(alert string) bool {
	return slices.Contains([]string{ZoneDown, HostDown, MemberDown, MemberSuspected, Degraded, Outage, BelowMinimum, MassFailure, SourceProblem}, alert)
}

package alerts

import (
	"slices"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// The bridge evaluates the conditions of its alerts here. They equal the conditions of the rules without
// their "for": that compensates for scrapes that fail or are late, but one poll reads all members at the same instant.

// InService returns whether a member is in service: see [tracker.InService].
func InService(m *drivers.Member, fenced bool) bool { return tracker.InService(m, fenced) }

// A Tally is the number of members of a group or source that are in service, and of those among them that are down.
type Tally struct{ InService, Down int }

// Add adds another tally.
func (t *Tally) Add(other Tally) {
	t.InService += other.InService
	t.Down += other.Down
}

// GroupAlerts returns the alerts about a group as a whole whose conditions hold.
func (b *Builder) GroupAlerts(source, group string, t Tally) []ID {
	settings := b.config.groupOf(source, group)
	var ids []ID
	add := func(alert string, condition bool) {
		if condition {
			ids = append(ids, ID{Alert: alert, Source: source, Group: group})
		}
	}
	add(Outage, t.InService > 0 && t.Down == t.InService)
	add(Degraded, t.Down >= 2 && float64(t.Down)/float64(t.InService) >= ratio(settings))
	add(BelowMinimum, settings != nil && t.InService-t.Down < settings.MinMembers)
	return ids
}

// SourceAlerts returns the alerts about a source as a whole whose conditions hold.
func (b *Builder) SourceAlerts(source string, t Tally) []ID {
	if t.Down >= 5 && 2*t.Down > t.InService {
		return []ID{{Alert: MassFailure, Source: source}}
	}
	return nil
}

// ExpectedGroups returns the groups of a source that must exist, because the configuration sets a minimum of members for
// them. If such a group does not exist, it has too few members.
func (b *Builder) ExpectedGroups(source string) []string { return b.config.ExpectedGroups(source) }

// IsPosted returns whether the bridge posts the alert with this name.
func IsPosted(alert string) bool {
	return slices.Contains([]string{MemberDown, Degraded, Outage, BelowMinimum, MassFailure}, alert)
}

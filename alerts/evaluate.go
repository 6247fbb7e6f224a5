package alerts

import (
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// The conditions under which the bridge fires are those of the rules, without their "for": whoever counts members from a
// poll needs no second look.

// InService says whether anybody wants to know when the member dies: like the rules' servicegroup:service_up:in_service.
// A member that was dead before it was forced down is fenced.
func InService(m *drivers.Member, fenced bool) bool {
	// Nova's libvirt driver disables a service whose hypervisor is gone, with this prefix.
	maintenance := m.Enabled == drivers.FlagNo && !strings.HasPrefix(m.DisabledReason, "AUTO:")
	return !maintenance && (m.ForcedDown != drivers.FlagYes || fenced)
}

// A Tally numbers the members of a group that are in service, and those of them that are down.
type Tally struct{ InService, Down int }

// Add adds the numbers of another group.
func (t *Tally) Add(other Tally) {
	t.InService += other.InService
	t.Down += other.Down
}

// GroupAlerts gives the alerts that fire about a group as a whole.
func (b *Builder) GroupAlerts(source, group string, t Tally) []ID {
	settings := b.config.groupOf(source, group)
	var ids []ID
	fires := func(alert string, condition bool) {
		if condition {
			ids = append(ids, ID{Alert: alert, Source: source, Group: group})
		}
	}
	fires(Outage, t.InService > 0 && t.Down == t.InService)
	fires(Degraded, t.Down >= 2 && float64(t.Down)/float64(t.InService) >= ratio(settings))
	fires(BelowMinimum, settings != nil && t.InService-t.Down < settings.MinMembers)
	return ids
}

// SourceAlerts gives the alerts that fire about a source as a whole.
func (b *Builder) SourceAlerts(source string, t Tally) []ID {
	if t.Down >= 5 && 2*t.Down > t.InService {
		return []ID{{Alert: MassFailure, Source: source}}
	}
	return nil
}

// ExpectedGroups gives the groups that a source has to have, as somebody set how many members they need.
func (b *Builder) ExpectedGroups(source string) []string {
	var groups []string
	for i := range b.config.Groups {
		if g := &b.config.Groups[i]; g.Source == source && g.MinMembers > 0 {
			groups = append(groups, g.Group)
		}
	}
	return groups
}

// IsPosted tells whether the bridge posts an alert of this name.
func IsPosted(alert string) bool {
	return slices.Contains([]string{MemberDown, Degraded, Outage, BelowMinimum, MassFailure}, alert)
}

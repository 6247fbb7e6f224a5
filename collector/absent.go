package collector

import (
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// maxListed is how many groups an error lists at most.
const maxListed = 20

// NoMember returns the error of a group that no snapshot has, or of a member that the group does not have. It names the groups
// that exist, and the name that was probably meant. It wraps [drivers.ErrNoGroup] or [drivers.ErrNoMember], or
// [drivers.ErrUnavailable] if the group can't be read.
func NoMember(snapshots []Snapshot, group, member string) error {
	var groups, members []string
	for i := range snapshots {
		for _, p := range snapshots[i].Problems {
			if p.Kind == drivers.ProblemUnreadable && p.Group == group {
				return drivers.Unavailable(drivers.ReasonAuth, fmt.Errorf("group %q can't be read: %s", group, p.Detail))
			}
		}
		for _, g := range snapshots[i].Groups {
			groups = append(groups, g.Name)
		}
		for j := range snapshots[i].Members {
			if m := &snapshots[i].Members[j]; m.Group == group {
				members = append(members, m.Name)
			}
		}
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	switch {
	case slices.Contains(groups, group):
		return fmt.Errorf("group %q, member %q: %w%s", group, member, drivers.ErrNoMember, suggest.Hint(member, members))
	case len(groups) == 0:
		return fmt.Errorf("group %q: %w: there are no groups", group, drivers.ErrNoGroup)
	}
	return fmt.Errorf("group %q: %w: the groups are %s%s", group, drivers.ErrNoGroup, listed(groups), suggest.Hint(group, groups))
}

// HasGroup reports whether one of the snapshots has a group.
func HasGroup(snapshots []Snapshot, group string) bool {
	return slices.ContainsFunc(snapshots, func(s Snapshot) bool {
		return slices.ContainsFunc(s.Groups, func(g GroupState) bool { return g.Name == group })
	})
}

func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

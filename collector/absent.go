package collector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// maxListed is how many groups an error lists at most.
const maxListed = 20

// NoMember returns the error of a group that no snapshot has, or of a member that the group does not have. It names the groups
// that exist, and the name that was probably meant. It wraps [drivers.ErrNoGroup] or [drivers.ErrNoMember].
func NoMember(snapshots []Snapshot, group, member string) error {
	members := map[string][]string{}
	for i := range snapshots {
		for j := range snapshots[i].Members {
			m := &snapshots[i].Members[j]
			members[m.Group] = append(members[m.Group], m.Name)
		}
	}
	if names, ok := members[group]; ok {
		return fmt.Errorf("group %q, member %q: %w%s", group, member, drivers.ErrNoMember, suggest.Hint(member, names))
	}
	groups := slices.Sorted(maps.Keys(members))
	if len(groups) == 0 {
		return fmt.Errorf("group %q: %w: there are no groups", group, drivers.ErrNoGroup)
	}
	return fmt.Errorf("group %q: %w: the groups are %s%s", group, drivers.ErrNoGroup, listed(groups), suggest.Hint(group, groups))
}

// HasGroup reports whether a snapshot has members of a group.
func HasGroup(snapshots []Snapshot, group string) bool {
	return slices.ContainsFunc(snapshots, func(s Snapshot) bool {
		return slices.ContainsFunc(s.Members, func(m MemberState) bool { return m.Group == group })
	})
}

func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

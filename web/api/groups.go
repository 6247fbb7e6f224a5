package api

import (
	"time"

	"servicegroup_exporter/collector"
)

// A group has the number of its members in each state, and what is decided about it.
type group struct {
	Source string `json:"source"`
	Group  string `json:"group"`
	counts
	decisions
	Known     bool       `json:"known"`
	LastKnown *time.Time `json:"last_known"` // null: no poll knew the group yet
}

// decisions has the number of members that are meant to be up, and of those that are down, as of the last poll that knew the group.
type decisions struct {
	InService int `json:"members_in_service"`
	Down      int `json:"members_down"`
}

type groupsAnswer struct {
	Groups []group `json:"groups"`
}

func (a *api) groups(q query) (any, error) {
	snapshots, err := a.asked(q)
	if err != nil {
		return nil, err
	}
	groups := []group{}
	for i := range snapshots {
		groups = append(groups, groupsOf(&snapshots[i])...)
	}
	return groupsAnswer{groups}, nil
}

// groupsOf returns the groups of a source. Members and groups of a snapshot are sorted by group.
func groupsOf(s *collector.Snapshot) []group {
	groups := make([]group, len(s.Groups))
	members := s.Members
	for i := range s.Groups {
		g := &s.Groups[i]
		groups[i] = group{
			Source: s.Source, Group: g.Name, decisions: decisions{g.InService, g.Down}, Known: g.Known, LastKnown: timeOrNil(g.LastKnown),
		}
		for len(members) > 0 && members[0].Group == g.Name {
			groups[i].add(&members[0])
			members = members[1:]
		}
	}
	return groups
}

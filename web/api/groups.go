package api

// A group has the number of members of a group in each state.
type group struct {
	Source string `json:"source"`
	Group  string `json:"group"`
	counts
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
		s := &snapshots[i]
		begin := len(groups)
		for j := range s.Members { // They are sorted by group.
			m := &s.Members[j]
			if last := len(groups) - 1; last < begin || groups[last].Group != m.Group {
				groups = append(groups, group{Source: s.Source, Group: m.Group})
			}
			groups[len(groups)-1].add(m.State)
		}
	}
	return groupsAnswer{groups}, nil
}

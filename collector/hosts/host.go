package hosts

import (
	"cmp"
	"slices"
)

// A Member has what the state of its host depends on. While its source can't be read, it has what was known before.
type Member struct {
	Host        string // empty: it has none
	Group, Zone string
	Service     string // see [Naming.Service]
	InService   bool   // it is meant to be up
	Down        bool   // by the rule of its service, whether it is in service or not
	Suspected   bool
	Late        bool // silent for longer than its interval and a tolerance
}

// IsSilent reports whether the member gives no proof that its host is alive.
func (m *Member) IsSilent() bool { return m.isDead() || m.Late }

// isDead reports whether the member is down or suspected.
func (m *Member) isDead() bool { return m.Down || m.Suspected }

// A State is what the members of one host say about it.
type State struct {
	Name string
	// Services is how many services are known on the host, and InService how many of them are in service. Neither counts
	// further than two.
	Services, InService int
	// Down and Suspected are how many members in service are down or suspected.
	Down, Suspected int
	// Reporting is how many members are not silent, in service or not.
	Reporting int

	first, firstInService serviceKey
}

// A serviceKey identifies a service on a host. It has no source, because two sources can have the same service: a roster, and
// what it is the roster of.
type serviceKey struct{ group, service string }

// IsKnown reports whether at least two services are known on the host. One service says nothing about its machine.
func (s *State) IsKnown() bool { return s.Services > 1 }

// IsDown reports whether the host is down: at least two services on it are in service, at least one member of these is down or
// suspected, and no member on the host reports.
//
// Nothing here knows of stalls of a heartbeat path: a member is not suspected during one, and all of them are late.
func (s *State) IsDown() bool { return s.InService > 1 && s.Down+s.Suspected > 0 && s.Reporting == 0 }

// IsSuspected reports whether the host is down by suspicion alone: no member is down by the rule of its service.
func (s *State) IsSuspected() bool { return s.IsDown() && s.Down == 0 }

// add takes in a member of the host.
func (s *State) add(m *Member) {
	key := serviceKey{m.Group, m.Service}
	s.Services = count(s.Services, &s.first, key)
	if !m.IsSilent() {
		s.Reporting++
	}
	if !m.InService {
		return
	}
	s.InService = count(s.InService, &s.firstInService, key)
	switch {
	case m.Down:
		s.Down++
	case m.Suspected:
		s.Suspected++
	}
}

// count returns how many services there are, at most two, with one more that may be the first.
func count(n int, first *serviceKey, key serviceKey) int {
	switch {
	case n == 0:
		*first = key
		return 1
	case n == 1 && *first != key:
		return 2
	default:
		return n
	}
}

// States returns the hosts of the members of all sources, sorted by name.
func States(sources [][]Member) []State {
	index := make(map[string]int)
	var states []State
	for _, members := range sources {
		for i := range members {
			m := &members[i]
			if m.Host == "" {
				continue
			}
			at, known := index[m.Host]
			if !known {
				at = len(states)
				index[m.Host] = at
				states = append(states, State{Name: m.Host})
			}
			states[at].add(m)
		}
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Name, b.Name) })
	return states
}

// A Zone counts the members of one zone in one source.
type Zone struct {
	Name string
	// InService is how many members are in service, Down how many of them are down or suspected, and Hosts on how many hosts
	// they run.
	InService, Down, Hosts int
}

// Zones returns the zones of one source, sorted by name. Members without a zone count in none.
func Zones(members []Member) []Zone {
	zones := map[string]*Zone{}
	seen := map[[2]string]bool{} // zone and host
	for i := range members {
		m := &members[i]
		if m.Zone == "" {
			continue
		}
		z := zones[m.Zone]
		if z == nil {
			z = &Zone{Name: m.Zone}
			zones[m.Zone] = z
		}
		if !m.InService {
			continue
		}
		z.InService++
		if m.isDead() {
			z.Down++
		}
		if key := [2]string{m.Zone, m.Host}; m.Host != "" && !seen[key] {
			seen[key] = true
			z.Hosts++
		}
	}
	sorted := make([]Zone, 0, len(zones))
	for _, z := range zones {
		sorted = append(sorted, *z)
	}
	slices.SortFunc(sorted, func(a, b Zone) int { return cmp.Compare(a.Name, b.Name) })
	return sorted
}

// IsDown reports whether all members of the zone that are in service are down or suspected, on at least two hosts.
func (z *Zone) IsDown() bool { return z.Hosts > 1 && z.Down == z.InService }

package collector

import (
	"slices"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/drivers"
)

// An agentMetric is how openstack-exporter shows the agents of one OpenStack service.
type agentMetric struct {
	metric
	id, zone, reason  string // names of labels; without reason it is not shown
	enabled, disabled string // values of adminState
	up                metric // whether all sources of the service can be read
}

// describeAgents describes the series that openstack-exporter has, as its exporters/nova.go, cinder.go and neutron.go make
// them. Where openstack-exporter invents a new id in every scrape, the id here is the row's own.
func (d *descs) describeAgents() {
	d.agents = map[string]*agentMetric{
		"nova":    {id: "id", zone: "zone", reason: "disabledReason", enabled: "enabled", disabled: "disabled"},
		"cinder":  {id: "uuid", zone: "zone", reason: "disabledReason", enabled: "enabled", disabled: "disabled"},
		"neutron": {id: "id", zone: "availability_zone", enabled: "up", disabled: "down"},
	}
	for service, a := range d.agents {
		a.labels = []string{a.id, "hostname", "service", "adminState", a.zone}
		if a.reason != "" {
			a.labels = append(a.labels, a.reason)
		}
		slices.Sort(a.labels)
		a.name = "openstack_" + service + "_agent_state"
		a.help = "The agent is up (1) or down (0). It has the name and the labels of openstack-exporter."
		a.up.name = "openstack_" + service + "_up"
		a.up.help = "The last polls of all sources of this service succeeded (1), or one of them failed (0). Without such a source there is " +
			"no series. It has the name of openstack-exporter."
	}
}

// families returns the series of a service, from what is shown of its sources.
func (a *agentMetric) families(sources []*rendered) []exposition.Family {
	readable := slices.DeleteFunc(slices.Clone(sources), func(s *rendered) bool { return !s.readable })
	return []exposition.Family{
		a.family(withoutDuplicates(memberSeriesOf(readable, seriesAgent))),
		a.up.family(func(yield yieldFunc) {
			if len(sources) > 0 {
				yield(exposition.NewLabels(nil), oneIf(len(readable) == len(sources)))
			}
		}),
	}
}

// label returns the labels of a member as openstack-exporter shows it; nil if a is nil. They do not name the source, so two
// sources may have the same agent. The first one that knows its state shows it.
func (a *agentMetric) label(m *drivers.Member) *exposition.Labels {
	if a == nil {
		return nil
	}
	return exposition.NewLabels(a.labels, a.values(m)...)
}

// values returns the values of the labels, in the order of the labels.
func (a *agentMetric) values(m *drivers.Member) []string {
	values := make([]string, len(a.labels))
	for i, label := range a.labels {
		switch label {
		case "hostname":
			values[i] = m.Name
		case "service":
			values[i] = m.Binary
		case "adminState":
			values[i] = a.enabled
			if m.Enabled == drivers.FlagNo {
				values[i] = a.disabled
			}
		case a.id:
			values[i] = m.UUID
		case a.zone:
			values[i] = m.Zone
		case a.reason:
			values[i] = m.DisabledReason
		}
	}
	return values
}

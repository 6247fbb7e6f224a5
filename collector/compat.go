package collector

import (
	"slices"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/drivers"
)

// An agentMetric is how openstack-exporter shows the agents of one OpenStack service.
type agentMetric struct {
	memberMetric
	id, zone, reason  string   // names of labels; without reason it is not shown
	labels            []string // the names of all, sorted
	enabled, disabled string   // values of adminState
}

// describeAgents describes the series that openstack-exporter has, as its exporters/nova.go, cinder.go and neutron.go
// make them. Where that one makes up an id anew for every scrape, the id is the row's own.
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
		a.help = "Whether the agent is up (1) or down (0), with the name and the labels that openstack-exporter gives it."
		d.add(a.name, a.help, a.labels...)
	}
}

// An agent is a member as openstack-exporter shows it. The labels do not name the source, so two sources may have the
// same agent; the first that knows its state shows it.
type agent struct {
	metric   *agentMetric
	disabled bool
	labels   *exposition.Labels
}

// agentMetric gives nil for sources whose members openstack-exporter does not show.
func (s *source) agentMetric() *agentMetric { return s.env.descs.agents[s.cfg.Service] }

// agent gives nil for members that openstack-exporter does not show.
func (s *source) agent(m *drivers.Member) *agent {
	metric := s.agentMetric()
	if metric == nil {
		return nil
	}
	a := &agent{metric: metric, disabled: isDisabled(m)}
	admin := metric.enabled
	if a.disabled {
		admin = metric.disabled
	}
	values := make([]string, len(metric.labels))
	for i, label := range metric.labels {
		switch label {
		case "hostname":
			values[i] = m.Name
		case "service":
			values[i] = m.Binary
		case "adminState":
			values[i] = admin
		case metric.id:
			values[i] = m.UUID
		case metric.zone:
			values[i] = m.Zone
		case metric.reason:
			values[i] = m.DisabledReason
		}
	}
	a.labels = exposition.NewLabels(metric.labels, values...)
	return a
}

func isDisabled(m *drivers.Member) bool { return m.Enabled == drivers.FlagNo }

// fits tells whether the agent is still that of the member, as far as the member's other series do not depend on it too.
func (a *agent) fits(m *drivers.Member, metric *agentMetric) bool {
	if a == nil {
		return metric == nil
	}
	return a.metric == metric && a.disabled == isDisabled(m)
}

package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/drivers"
)

// An agentMetric is how openstack-exporter shows the agents of one OpenStack service.
type agentMetric struct {
	desc              *prometheus.Desc
	id, zone, reason  string // labels; without reason it is not shown
	enabled, disabled string // values of adminState
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
		labels := []string{a.id, "hostname", "service", "adminState", a.zone}
		if a.reason != "" {
			labels = append(labels, a.reason)
		}
		a.desc = d.add("openstack_"+service+"_agent_state",
			"Whether the agent is up (1) or down (0), with the name and the labels that openstack-exporter gives it.", labels...)
	}
}

// An agent is a member as openstack-exporter shows it. Agents that are equal have the same labels.
type agent struct {
	metric                         *agentMetric
	id, host, binary, zone, reason string
	disabled                       bool
}

// agentMetric gives nil for sources whose members openstack-exporter does not show.
func (s *source) agentMetric() *agentMetric { return s.env.descs.agents[s.cfg.Service] }

// agent gives nil for members that openstack-exporter does not show.
func (s *source) agent(m *drivers.Member) *agent {
	metric := s.agentMetric()
	if metric == nil {
		return nil
	}
	a := &agent{
		metric: metric, id: m.UUID, host: m.Name, binary: m.Binary, zone: m.Zone,
		disabled: isDisabled(m),
	}
	if metric.reason != "" {
		a.reason = m.DisabledReason
	}
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

func (a *agent) labels() []*dto.LabelPair {
	admin := a.metric.enabled
	if a.disabled {
		admin = a.metric.disabled
	}
	pairs := []string{
		a.metric.id, a.id, "hostname", a.host, "service", a.binary, "adminState", admin, a.metric.zone, a.zone,
	}
	if a.metric.reason != "" {
		pairs = append(pairs, a.metric.reason, a.reason)
	}
	return labelPairs(pairs...)
}

// shownAgents are those that a scrape has handed out. The labels do not name the source, so two sources may have the same
// agent; the first that knows its state shows it.
type shownAgents map[agent]bool

// add tells whether the agent was not there yet.
func (s shownAgents) add(a *agent) bool {
	if s[*a] {
		return false
	}
	s[*a] = true
	return true
}

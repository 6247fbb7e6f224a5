package bench

import (
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// A constMetrics is a prometheus.Collector that renders members as a common exporter does: with client_golang only, and with
// new constant metrics in every scrape. The exposition of this program is compared with it.
type constMetrics struct {
	*collector.Collector
	// upOnly and service are settings of sources, by name. See [collector.SourceConfig].
	upOnly  map[string]bool
	service map[string]string

	descs map[string]*prometheus.Desc
}

// newConstMetrics returns constant metrics of sources without settings.
func newConstMetrics(c *collector.Collector) *constMetrics {
	e := &constMetrics{Collector: c, descs: make(map[string]*prometheus.Desc)}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	name := regexp.MustCompile(`fqName: "([^"]*)"`)
	for desc := range descs {
		e.descs[name.FindStringSubmatch(desc.String())[1]] = desc
	}
	for _, family := range c.Families() {
		e.descs[family.Name] = prometheus.NewDesc(family.Name, family.Help, family.LabelNames, nil)
	}
	return e
}

// Describe implements prometheus.Collector.
func (e *constMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range e.descs {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (e *constMetrics) Collect(ch chan<- prometheus.Metric) {
	e.Collector.Collect(ch)
	agents := make(map[string]bool)
	for _, snapshot := range e.Snapshots() {
		for i := range snapshot.Members {
			e.member(ch, &snapshot, &snapshot.Members[i], agents)
		}
	}
	e.others(ch)
}

// others emits the series that snapshots do not have in full: the series of groups and of decisions. Their values are the
// collector's, and client_golang writes them.
func (e *constMetrics) others(ch chan<- prometheus.Metric) {
	rendered := regexp.MustCompile("^(service_up|openstack_.*_agent_state|" +
		"servicegroup_member_(transitions_total|last_heartbeat.*|state_change.*|enabled|forced_down|fenced|info))$")
	for _, family := range e.Families() {
		if rendered.MatchString(family.Name) {
			continue
		}
		for _, m := range family.DTO().GetMetric() {
			var labels []string
			for _, pair := range m.GetLabel() {
				labels = append(labels, pair.GetValue())
			}
			ch <- prometheus.MustNewConstMetric(e.descs[family.Name], prometheus.GaugeValue, m.GetGauge().GetValue(), labels...)
		}
	}
}

func (e *constMetrics) member(ch chan<- prometheus.Metric, s *collector.Snapshot, m *collector.MemberState, agents map[string]bool) {
	labels := []string{m.Binary, m.Group, m.Name, s.Source, m.Zone}
	metric := func(name string, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(e.descs[name], kind, v, labels...)
	}
	gauge := func(name string, v float64) { metric(name, prometheus.GaugeValue, v, labels...) }
	if m.State != collector.Unknown {
		gauge("service_up", number(m.State == collector.Up))
		e.agent(metric, s, m, agents)
	}
	if e.upOnly[s.Source] {
		return
	}
	metric("servicegroup_member_transitions_total", prometheus.CounterValue, float64(m.Transitions), labels...)
	if !s.Readable {
		return
	}
	if !m.LastHeartbeat.IsZero() {
		gauge("servicegroup_member_last_heartbeat_timestamp_seconds", seconds(m.LastHeartbeat))
	}
	if !m.Since.IsZero() {
		gauge("servicegroup_member_state_change_timestamp_seconds", seconds(m.Since))
	}
	if m.Enabled != drivers.FlagNone {
		gauge("servicegroup_member_enabled", number(m.Enabled == drivers.FlagYes))
	}
	if m.ForcedDown != drivers.FlagNone {
		gauge("servicegroup_member_forced_down", number(m.ForcedDown == drivers.FlagYes))
	}
	if m.ForcedDown == drivers.FlagYes {
		gauge("servicegroup_member_fenced", number(m.Fenced))
	}
	metric("servicegroup_member_info", prometheus.GaugeValue, 1,
		m.Binary, m.DisabledReason, m.Group, m.Name, s.Source, m.UUID, m.Version, m.Zone)
}

// agent renders a member as openstack-exporter does, if that renders such members and this agent is not rendered yet.
func (e *constMetrics) agent(
	metric func(string, prometheus.ValueType, float64, ...string), s *collector.Snapshot, m *collector.MemberState, rendered map[string]bool,
) {
	on, off := "enabled", "disabled"
	if e.service[s.Source] == "neutron" {
		on, off = "up", "down"
	}
	state := on
	if m.Enabled == drivers.FlagNo {
		state = off
	}
	var labels []string
	switch e.service[s.Source] {
	case "nova":
		labels = []string{state, m.DisabledReason, m.Name, m.UUID, m.Binary, m.Zone}
	case "cinder":
		labels = []string{state, m.DisabledReason, m.Name, m.Binary, m.UUID, m.Zone}
	case "neutron":
		labels = []string{state, m.Zone, m.Name, m.UUID, m.Binary}
	default:
		return
	}
	name := "openstack_" + e.service[s.Source] + "_agent_state"
	if key := name + strings.Join(labels, "\xff"); !rendered[key] {
		rendered[key] = true
		metric(name, prometheus.GaugeValue, number(m.State == collector.Up), labels...)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

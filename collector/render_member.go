package collector

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/drivers"
)

// The series of a member, in the order in which they are handed out.
const (
	seriesUp = iota
	seriesHeartbeat
	seriesChanged
	seriesEnabled
	seriesForced
	seriesFenced
	seriesInfo
	seriesTransitions
	seriesAgent
	seriesCount
)

// memberSeries are the series of a member as they were last rendered. It never changes.
type memberSeries struct {
	binary, zone, uuid, version, reason string // what the labels were made of, beside the names
	labels, infoLabels                  []*dto.LabelPair
	agent                               *agent // nil: openstack-exporter has no such member

	samples [seriesCount]*sample // nil: the member has no such series
}

// collect hands out the series. Nothing but the counter is true while the source can't be read.
func (m *memberSeries) collect(ch chan<- prometheus.Metric, readable bool, agents shownAgents) {
	for i, s := range m.samples {
		if s == nil || !readable && i != seriesTransitions || i == seriesAgent && !agents.add(m.agent) {
			continue
		}
		ch <- s
	}
}

// A value is what a series of a member should show, if it should be there.
type value struct {
	v  float64
	ok bool
}

func timeValue(t time.Time) value { return value{timestamp(t), !t.IsZero()} }

func flagValue(f drivers.Flag) value {
	return value{oneIf(f == drivers.FlagYes), f != drivers.FlagNone}
}

func (s *source) memberValues(rec *record, isAgent bool) (v [seriesCount]value) {
	state := rec.shown()
	v[seriesUp] = value{oneIf(state == Up), state != Unknown}
	v[seriesAgent] = value{v[seriesUp].v, v[seriesUp].ok && isAgent}
	if s.cfg.UpOnly {
		return v
	}
	v[seriesHeartbeat] = timeValue(rec.member.LastHeartbeat)
	v[seriesChanged] = timeValue(rec.since.wall)
	v[seriesEnabled] = flagValue(rec.member.Enabled)
	v[seriesForced] = flagValue(rec.member.ForcedDown)
	v[seriesFenced] = value{oneIf(rec.fenced), rec.forced()}
	v[seriesInfo] = value{1, true}
	v[seriesTransitions] = value{float64(rec.transitions), true}
	return v
}

// renderMember gives the series of a member. What has not changed since it was last rendered is used again.
func (s *source) renderMember(rec *record) *memberSeries {
	old := rec.series
	if old == nil || !old.fits(&rec.member, s.agentMetric()) {
		old = s.newMemberSeries(&rec.member)
	}
	next := old
	for i, want := range s.memberValues(rec, old.agent != nil) {
		have := old.samples[i]
		if (have != nil) == want.ok && (have == nil || have.value == want.v) {
			continue
		}
		if next == old {
			next = new(*old)
		}
		next.samples[i] = nil
		if want.ok {
			next.samples[i] = next.sample(s.env.descs, i, want.v)
		}
	}
	return next
}

func (s *source) newMemberSeries(m *drivers.Member) *memberSeries {
	series := &memberSeries{
		binary: m.Binary, zone: m.Zone, uuid: m.UUID, version: m.Version, reason: m.DisabledReason,
		labels: labelPairs("source", s.cfg.Name, "group", m.Group, "member", m.Name, "binary", m.Binary, "zone", m.Zone),
		agent:  s.agent(m),
	}
	more := labelPairs("uuid", m.UUID, "version", m.Version, "disabled_reason", m.DisabledReason)
	series.infoLabels = sortPairs(slices.Concat(series.labels, more))
	return series
}

// fits tells whether the labels are still those of the member, and whether it is still shown as the same sort of agent.
func (m *memberSeries) fits(now *drivers.Member, agents *agentMetric) bool {
	return m.binary == now.Binary && m.zone == now.Zone &&
		m.uuid == now.UUID && m.version == now.Version && m.reason == now.DisabledReason &&
		m.agent.fits(now, agents)
}

func (m *memberSeries) sample(d *descs, series int, v float64) *sample {
	if series == seriesAgent {
		return &sample{desc: m.agent.metric.desc, labels: m.agent.labels(), value: v}
	}
	desc := [seriesCount]*prometheus.Desc{
		d.up, d.heartbeat, d.changed, d.enabled, d.forced, d.fenced, d.info, d.transitions,
	}[series]
	labels := m.labels
	if series == seriesInfo {
		labels = m.infoLabels
	}
	return &sample{desc: desc, labels: labels, value: v, counter: series == seriesTransitions}
}

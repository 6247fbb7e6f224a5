package collector

import (
	"time"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/drivers"
)

// The series of a member.
const (
	seriesUp = iota
	seriesHeartbeat
	seriesChanged
	seriesEnabled
	seriesForced
	seriesFenced
	seriesInfo
	seriesTransitions
	seriesAgent // openstack-exporter's
	seriesCount
)

// memberSeries are the series of a member as a scrape shows them. They never change.
type memberSeries struct {
	common, info *exposition.Labels
	agent        *exposition.Labels // nil: openstack-exporter has no such member
	shown        [seriesCount]bool  // whether the member has such a series
	values       [seriesCount]float64
}

// labels gives the labels of one of the series.
func (m *memberSeries) labels(series int) *exposition.Labels {
	switch series {
	case seriesInfo:
		return m.info
	case seriesAgent:
		return m.agent
	default:
		return m.common
	}
}

func (m *memberSeries) set(series int, v float64) { m.shown[series], m.values[series] = true, v }

func (m *memberSeries) setTime(series int, t time.Time) {
	if !t.IsZero() {
		m.set(series, timestamp(t))
	}
}

func (m *memberSeries) setFlag(series int, f drivers.Flag) {
	if f != drivers.FlagNone {
		m.set(series, oneIf(f == drivers.FlagYes))
	}
}

// renderMember gives the series of a member, the same as before if nothing has changed.
func (s *source) renderMember(rec *record) *memberSeries {
	next := s.label(rec)
	if state := rec.shown(); state != Unknown {
		next.set(seriesUp, oneIf(state == Up))
		if next.agent != nil {
			next.set(seriesAgent, oneIf(state == Up))
		}
	}
	if !s.cfg.UpOnly {
		next.setTime(seriesHeartbeat, rec.member.LastHeartbeat)
		next.setTime(seriesChanged, rec.since.wall)
		next.setFlag(seriesEnabled, rec.member.Enabled)
		next.setFlag(seriesForced, rec.member.ForcedDown)
		if rec.forced() {
			next.set(seriesFenced, oneIf(rec.fenced))
		}
		next.set(seriesInfo, 1)
		next.set(seriesTransitions, float64(rec.transitions))
	}
	if rec.series == nil || *rec.series != next {
		rec.series = new(next) // A copy, so that what is as before is not on the heap at all.
	}
	return rec.series
}

// label gives a member's series without values. The labels are the same as before if they still fit.
func (s *source) label(rec *record) memberSeries {
	m, agents := &rec.member, s.agentMetric()
	if old := rec.series; old != nil &&
		old.info.Are(m.Binary, m.DisabledReason, m.Group, m.Name, s.cfg.Name, m.UUID, m.Version, m.Zone) {
		next := memberSeries{common: old.common, info: old.info, agent: old.agent}
		if !agents.fits(old.agent, m) {
			next.agent = agents.label(m)
		}
		return next
	}
	return memberSeries{
		common: exposition.NewLabels(s.env.descs.commonLabels, m.Binary, m.Group, m.Name, s.cfg.Name, m.Zone),
		info: exposition.NewLabels(s.env.descs.infoLabels,
			m.Binary, m.DisabledReason, m.Group, m.Name, s.cfg.Name, m.UUID, m.Version, m.Zone),
		agent: agents.label(m),
	}
}

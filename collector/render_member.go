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
	labels *memberLabels
	shown  [seriesCount]bool // whether the member has such a series
	values [seriesCount]float64
}

// memberLabels are the labels of a member's series, which outlive changes of their values.
type memberLabels struct {
	common, info *exposition.Labels
	agent        *agent // nil: openstack-exporter has no such member
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
	next := memberSeries{labels: s.labelsOf(rec)}
	if state := rec.shown(); state != Unknown {
		next.set(seriesUp, oneIf(state == Up))
		if next.labels.agent != nil {
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

// labelsOf gives the labels of a member, the same as before if they still fit.
func (s *source) labelsOf(rec *record) *memberLabels {
	m := &rec.member
	if rec.series != nil && rec.series.labels.fit(m, s) {
		return rec.series.labels
	}
	return &memberLabels{
		common: exposition.NewLabels(s.env.descs.commonLabels, m.Binary, m.Group, m.Name, s.cfg.Name, m.Zone),
		info: exposition.NewLabels(s.env.descs.infoLabels,
			m.Binary, m.DisabledReason, m.Group, m.Name, s.cfg.Name, m.UUID, m.Version, m.Zone),
		agent: s.agent(m),
	}
}

// fit tells whether the labels are still those of the member, and whether it is still shown as the same sort of agent.
func (l *memberLabels) fit(m *drivers.Member, s *source) bool {
	return l.info.Are(m.Binary, m.DisabledReason, m.Group, m.Name, s.cfg.Name, m.UUID, m.Version, m.Zone) &&
		l.agent.fits(m, s.agentMetric())
}

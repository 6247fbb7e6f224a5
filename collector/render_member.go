package collector

import (
	"time"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/tracker"
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

// memberSeries are the series of a member as a scrape shows them. They never change: when a value changes, another
// memberSeries takes their place.
type memberSeries struct {
	member       *tracker.Member
	host         string // see [hosts.Naming]
	service      string // see [hosts.Naming.Service]
	common, info *exposition.Labels
	rare         *rareSeries          // nil: it has none
	agent        *exposition.Labels   // nil: openstack-exporter has no such member
	shown        [seriesCount]bool    // whether the member has the series
	values       [seriesCount]float64 // its values
}

// labels returns the labels of one of the series.
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

// renderMembers returns the series of all members, and the members with rare series. What has not changed is the same as
// before.
func (s *source) renderMembers(before []*memberSeries, now tracker.Instant) (series, rare []*memberSeries) {
	members := s.tracker.Members()
	series = make([]*memberSeries, len(members))
	for i, m := range members {
		for len(before) > 0 && before[0].member != m && tracker.Compare(before[0].member, m) < 0 {
			before = before[1:] // The member is gone.
		}
		var old *memberSeries
		if len(before) > 0 && before[0].member == m {
			old, before = before[0], before[1:]
		}
		series[i] = s.renderMember(m, old, now)
		if series[i].rare != nil {
			rare = append(rare, series[i])
		}
	}
	return series, rare
}

// renderMember returns the series of a member, which are old if nothing has changed. Old is nil for a new member.
func (s *source) renderMember(m *tracker.Member, old *memberSeries, now tracker.Instant) *memberSeries {
	next := s.labelMember(m, old)
	var oldRare *rareSeries
	if old != nil {
		oldRare = old.rare
	}
	next.rare = s.renderRare(m, oldRare, now)
	if state := m.State(); state != Unknown {
		next.set(seriesUp, oneIf(state == Up))
		if next.agent != nil {
			next.set(seriesAgent, oneIf(state == Up))
		}
	}
	if !s.cfg.UpOnly {
		next.setTime(seriesHeartbeat, m.LastHeartbeat)
		next.setTime(seriesChanged, m.Since.Wall)
		next.setFlag(seriesEnabled, m.Enabled)
		next.setFlag(seriesForced, m.ForcedDown)
		if m.ForcedDown == drivers.FlagYes {
			next.set(seriesFenced, oneIf(m.Fenced))
		}
		next.set(seriesInfo, 1)
		next.set(seriesTransitions, float64(m.Transitions))
	}
	if old != nil && *old == next {
		return old
	}
	return new(next) // A copy, so that series that have not changed are never allocated.
}

// labelMember returns a member's series without values. The labels are the old ones if they are still right.
func (s *source) labelMember(m *tracker.Member, old *memberSeries) memberSeries {
	agents, cut := s.env.descs.agents[s.cfg.Service], s.cut(&m.Member)
	if old != nil && old.info.Are(cut.Binary, cut.DisabledReason, m.Group, m.Name, s.cfg.Name, cut.UUID, cut.Version, cut.Zone) {
		next := memberSeries{member: m, host: old.host, service: old.service, common: old.common, info: old.info, agent: old.agent}
		if agents != nil && !old.agent.Are(agents.values(cut)...) {
			next.agent = agents.label(cut)
		}
		return next
	}
	return memberSeries{
		member: m, host: s.cfg.Naming.Host(m.Name), service: s.cfg.Naming.Service(m.Name),
		common: exposition.NewLabels(s.env.descs.ofMember[seriesUp].labels, cut.Binary, m.Group, m.Name, s.cfg.Name, cut.Zone),
		info: exposition.NewLabels(s.env.descs.ofMember[seriesInfo].labels,
			cut.Binary, cut.DisabledReason, m.Group, m.Name, s.cfg.Name, cut.UUID, cut.Version, cut.Zone),
		agent: agents.label(cut),
	}
}

// maxLabelText is the maximum length of free text in a label, in bytes.
const maxLabelText = 128

// textLimit returns the maximum length of free text in a label.
func (s *source) textLimit() int {
	if s.cfg.LabelLimit > 0 {
		return min(maxLabelText, s.cfg.LabelLimit)
	}
	return maxLabelText
}

// cut returns the member with texts that are short enough for labels. The API has the whole texts.
func (s *source) cut(m *drivers.Member) *drivers.Member {
	limit := s.textLimit()
	if max(len(m.Binary), len(m.Zone), len(m.UUID), len(m.Version), len(m.DisabledReason)) <= limit {
		return m
	}
	short := *m
	for _, text := range []*string{&short.Binary, &short.Zone, &short.UUID, &short.Version, &short.DisabledReason} {
		*text = tracker.Shorten(*text, limit)
	}
	return &short
}

package collector

import (
	"cmp"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// A downSeries is a series of servicegroup_member_down, and of servicegroup_member_down_since_timestamp_seconds; or the same of
// members that are suspected.
type downSeries struct {
	of                  *tracker.Decision
	labels, sinceLabels *exposition.Labels
	value, since        float64
}

// renderDecisions returns the series of members that are down, or suspected, or were within the last hour. It takes the labels from the
// series before.
func (s *source) renderDecisions(decisions []*tracker.Decision, before []downSeries) []downSeries {
	series := make([]downSeries, 0, len(decisions))
	for _, d := range decisions {
		for len(before) > 0 && before[0].of != d && tracker.CompareDecisions(before[0].of, d) <= 0 {
			before = before[1:] // It is gone.
		}
		next := downSeries{of: d, value: oneIf(d.Lasts())}
		next.since = next.value // 0, or 1 as long as no time is known
		if !d.Since.IsZero() {
			next.since = timestamp(d.Since)
		}
		if len(before) > 0 && before[0].of == d {
			next.labels, next.sinceLabels = before[0].labels, before[0].sinceLabels
		} else {
			next.labels, next.sinceLabels = s.labelDecision(d)
		}
		if same := sameLabels(series, &next); same != nil {
			same.value, same.since = max(same.value, next.value), max(same.since, next.since)
		} else {
			series = append(series, next)
		}
	}
	return series
}

// sameLabels returns the series of the same member that has the labels of another, which comes after all of them; nil: none has.
// Two decisions about a member differ in binary or zone, but their labels can be equal where these are cut.
func sameLabels(series []downSeries, next *downSeries) *downSeries {
	for i := len(series) - 1; i >= 0 && series[i].of.Name == next.of.Name && series[i].of.Group == next.of.Group; i-- {
		if series[i].labels.String() == next.labels.String() {
			return &series[i]
		}
	}
	return nil
}

// noAttribute is the value of a label for a member without the attribute, where a label that is empty would not do: Prometheus
// gives a series without a label the label of the target.
const noAttribute = "-"

// labelDecision returns the labels of servicegroup_member_down and servicegroup_member_down_since_timestamp_seconds.
func (s *source) labelDecision(d *tracker.Decision) (down, since *exposition.Labels) {
	m := s.cut(&drivers.Member{Name: d.Name, Binary: d.Binary, Zone: d.Zone})
	names, host := s.env.descs.memberDown.labels, s.cfg.Naming.Host(d.Name)
	down = exposition.NewLabels(names, m.Binary, d.Group, host, d.Name, s.cfg.Name, m.Zone)
	if m.Binary != "" && m.Zone != "" {
		return down, down
	}
	binary, zone := cmp.Or(m.Binary, noAttribute), cmp.Or(m.Zone, noAttribute)
	return down, exposition.NewLabels(names, binary, d.Group, host, d.Name, s.cfg.Name, zone)
}

// rareSeries are the series of a member that only members in an odd state have.
type rareSeries struct {
	disabled, forced     *exposition.Labels // nil: it is enabled, or not forced down
	disabledAt, forcedAt float64
	ahead                float64 // zero: its heartbeats are not ahead
	flapping             bool
}

func (r *rareSeries) yieldDisabled(_ *memberSeries, yield yieldFunc) bool {
	return (r.disabled == nil || yield(r.disabled, r.disabledAt)) && (r.forced == nil || yield(r.forced, r.forcedAt))
}

func (r *rareSeries) yieldFlapping(m *memberSeries, yield yieldFunc) bool {
	return !r.flapping || yield(m.common, 1)
}

func (r *rareSeries) yieldAhead(m *memberSeries, yield yieldFunc) bool {
	return r.ahead == 0 || yield(m.common, r.ahead)
}

// renderRare returns the rare series of a member, nil if it has none. They are old if nothing has changed.
func (s *source) renderRare(m *tracker.Member, old *rareSeries, now tracker.Instant) *rareSeries {
	reason, since := m.DisabledBy()
	forced := m.ForcedSince()
	next := rareSeries{ahead: s.tracker.Ahead(m).Seconds(), flapping: m.Flaps(now)}
	if reason == "" && forced.IsZero() && next.ahead == 0 && !next.flapping {
		return nil
	}
	var before rareSeries
	if old != nil {
		before = *old
	}
	if reason != "" {
		next.disabled, next.disabledAt = s.labelDisabled(m, reason, before.disabled), timestamp(since)
	}
	if !forced.IsZero() {
		next.forced, next.forcedAt = s.labelDisabled(m, tracker.ForcedDown, before.forced), timestamp(forced)
	}
	if next == before {
		return old
	}
	return new(next) // A copy, so that series that have not changed are never allocated.
}

// labelDisabled returns the labels of a disabled member, which are the old ones if they are still right.
func (s *source) labelDisabled(m *tracker.Member, reason string, old *exposition.Labels) *exposition.Labels {
	cut := s.cut(&m.Member)
	if old != nil && old.Are(cut.Binary, m.Group, m.Name, reason, s.cfg.Name, cut.Zone) {
		return old
	}
	return exposition.NewLabels(s.env.descs.disabled.labels, cut.Binary, m.Group, m.Name, reason, s.cfg.Name, cut.Zone)
}

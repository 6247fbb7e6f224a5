package collector

import (
	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/tracker"
)

// The states of servicegroup_members, sorted by name.
const (
	countDown = iota
	countOutOfService
	countUnknown
	countUp
	countStates
)

// quantiles is how many quantiles there are of the reporting intervals of a group, and of the ages of its heartbeats.
const quantiles = len(tracker.Quantiles{})

// distribution are the values of a metric with the label quantile.
type distribution struct {
	known  bool
	values [quantiles]float64
}

func quantileNames() [quantiles]string { return [...]string{"0", "0.5", "0.9", "0.99", "1"} }

func countNames() [countStates]string {
	return [countStates]string{"down", "out_of_service", "unknown", "up"}
}

// groupSeries are the series of a group as a scrape shows them.
type groupSeries struct {
	name    string
	labels  *exposition.Labels
	ofState [countStates]*exposition.Labels
	members [countStates]float64

	ofQuantile      [quantiles]*exposition.Labels // nil: it has neither of the two below
	intervals, ages distribution

	inService, down, known, lastKnown float64
	wasKnown                          bool // it has inService and down
}

// renderGroups returns the series of all groups. It takes the labels from the series before.
func (s *source) renderGroups(before []groupSeries) []groupSeries {
	groups := s.tracker.Groups()
	series := make([]groupSeries, len(groups))
	for i := range groups {
		g := &groups[i]
		for len(before) > 0 && before[0].name < g.Name {
			before = before[1:] // The group is gone.
		}
		if len(before) > 0 && before[0].name == g.Name {
			series[i].labels, series[i].ofState, series[i].ofQuantile = before[0].labels, before[0].ofState, before[0].ofQuantile
		} else {
			series[i].labels, series[i].ofState = s.labelGroup(g.Name)
		}
		if (g.HasIntervals || g.HasAges) && series[i].ofQuantile[0] == nil {
			series[i].ofQuantile = s.labelQuantiles(g.Name)
		}
		series[i].fill(g, s.now.Readable)
	}
	return series
}

func (s *source) labelGroup(name string) (labels *exposition.Labels, ofState [countStates]*exposition.Labels) {
	d := s.env.descs
	for i, state := range countNames() {
		ofState[i] = exposition.NewLabels(d.members.labels, name, s.cfg.Name, state)
	}
	return exposition.NewLabels(d.groupKnown.labels, name, s.cfg.Name), ofState
}

func (s *source) labelQuantiles(name string) (ofQuantile [quantiles]*exposition.Labels) {
	for i, quantile := range quantileNames() {
		ofQuantile[i] = exposition.NewLabels(s.env.descs.interval.labels, name, quantile, s.cfg.Name)
	}
	return ofQuantile
}

func distributionOf(all *tracker.Quantiles, known bool) distribution {
	d := distribution{known: known}
	for i, value := range all {
		d.values[i] = value.Seconds()
	}
	return d
}

// fill sets the values. While the source can't be read, all members in service are unknown, and so are the ages of their heartbeats.
func (g *groupSeries) fill(group *tracker.Group, readable bool) {
	g.name = group.Name
	g.members[countOutOfService] = float64(group.OutOfService)
	if readable {
		g.members[countUp], g.members[countDown] = float64(group.Up), float64(group.Down)
		g.members[countUnknown] = float64(group.Unknown)
	} else {
		g.members[countUnknown] = float64(group.Up + group.Down + group.Unknown)
	}
	g.known = oneIf(readable && !group.InDoubt)
	g.intervals = distributionOf(&group.Intervals, group.HasIntervals)
	g.ages = distributionOf(&group.Ages, group.HasAges && readable)
	g.wasKnown = !group.LastKnown.IsZero()
	g.inService, g.down, g.lastKnown = float64(group.InService), float64(group.DecidedDown), timestamp(group.LastKnown)
}

func groupsOf(s *rendered) []groupSeries { return s.groups }

// groupFamilies returns the metrics of groups.
func (d *descs) groupFamilies(sources []*rendered) []exposition.Family {
	series := func(value func(*groupSeries) (v float64, shown bool)) seriesFunc {
		return seriesOf(sources, groupsOf, func(g *groupSeries, yield yieldFunc) bool {
			v, shown := value(g)
			return !shown || yield(g.labels, v)
		})
	}
	return []exposition.Family{
		d.members.family(membersByState(sources)),
		d.interval.family(byQuantile(sources, func(g *groupSeries) *distribution { return &g.intervals })),
		d.age.family(byQuantile(sources, func(g *groupSeries) *distribution { return &g.ages })),
		d.membersDown.family(series(func(g *groupSeries) (float64, bool) { return g.down, g.wasKnown })),
		d.inService.family(series(func(g *groupSeries) (float64, bool) { return g.inService, g.wasKnown })),
		d.groupKnown.family(series(func(g *groupSeries) (float64, bool) { return g.known, true })),
		d.lastKnown.family(series(func(g *groupSeries) (float64, bool) { return g.lastKnown, true })),
	}
}

// membersByState returns servicegroup_members.
func membersByState(sources []*rendered) seriesFunc {
	return seriesOf(sources, groupsOf, func(g *groupSeries, yield yieldFunc) bool {
		return yieldEach(g.ofState[:], g.members[:], yield)
	})
}

// byQuantile returns a metric with the label quantile.
func byQuantile(sources []*rendered, of func(*groupSeries) *distribution) seriesFunc {
	return seriesOf(sources, groupsOf, func(g *groupSeries, yield yieldFunc) bool {
		d := of(g)
		return !d.known || yieldEach(g.ofQuantile[:], d.values[:], yield)
	})
}

// yieldEach yields several series of one group.
func yieldEach(labels []*exposition.Labels, values []float64, yield yieldFunc) bool {
	for i := range labels {
		if !yield(labels[i], values[i]) {
			return false
		}
	}
	return true
}

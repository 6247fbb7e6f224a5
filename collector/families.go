package collector

import (
	"cmp"
	"iter"
	"slices"

	"servicegroup_exporter/collector/exposition"
)

// Families gives the series of all members as the last polls found them, by the names of the metrics. What is given
// never changes.
//
// They are not gathered by client_golang, which would take every series in hand in every scrape: see [exposition].
func (c *Collector) Families() []exposition.Family {
	sources := *c.sources.Load()
	views, rolls := make([]*view, len(sources)), make([]*roll, len(sources))
	for i, s := range sources {
		views[i] = s.view.Load()
		rolls[i] = views[i].roll
	}
	o := c.order.Load()
	if o == nil || !slices.Equal(o.rolls, rolls) {
		o = newOrder(rolls)
		c.order.Store(o)
	}
	var families []exposition.Family
	for series, metric := range c.env.descs.ofMember {
		places := o.common
		if series == seriesInfo {
			places = o.info
		}
		families = append(families, exposition.Family{
			Name: metric.name, Help: metric.help, Counter: series == seriesTransitions,
			Series: seriesAt(views, places, series),
		})
	}
	for _, a := range c.env.descs.agents {
		families = append(families, exposition.Family{
			Name: a.name, Help: a.help, Series: once(seriesAt(views, o.agents[a], seriesAgent)),
		})
	}
	slices.SortFunc(families, func(a, b exposition.Family) int { return cmp.Compare(a.Name, b.Name) })
	return families
}

// seriesAt gives one series of each of the members who have it. Of a source that can't be read nothing is true but the
// counter.
func seriesAt(views []*view, places []place, series int) iter.Seq2[*exposition.Labels, float64] {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, at := range places {
			v := views[at.source]
			m := v.members[at.member]
			if m.shown[series] && (v.readable || series == seriesTransitions) && !yield(at.labels, m.values[series]) {
				return
			}
		}
	}
}

// once leaves out series whose labels were there just before.
func once(all iter.Seq2[*exposition.Labels, float64]) iter.Seq2[*exposition.Labels, float64] {
	return func(yield func(*exposition.Labels, float64) bool) {
		var before *exposition.Labels
		for labels, value := range all {
			if before != nil && exposition.Compare(before, labels) == 0 {
				continue
			}
			before = labels
			if !yield(labels, value) {
				return
			}
		}
	}
}

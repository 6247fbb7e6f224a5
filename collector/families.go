package collector

import (
	"cmp"
	"iter"
	"slices"

	"servicegroup_exporter/collector/exposition"
)

// Families gives the series of all members as the last polls found them, sorted by the names of the metrics. The series of a
// metric come source by source, and in each source in the order of its members. What is given never changes.
//
// They are not gathered by client_golang, which would take every series in hand in every scrape: see [exposition].
func (c *Collector) Families() []exposition.Family {
	sources := *c.sources.Load()
	views := make([]*view, len(sources))
	for i, s := range sources {
		views[i] = s.view.Load()
	}
	var families []exposition.Family
	for series, metric := range c.env.descs.ofMember {
		families = append(families, exposition.Family{
			Name: metric.name, Help: metric.help, Counter: series == seriesTransitions,
			Series: seriesOf(views, series),
		})
	}
	for _, a := range c.env.descs.agents {
		views := slices.DeleteFunc(slices.Clone(views), func(v *view) bool { return v.agents != a })
		families = append(families, exposition.Family{
			Name: a.name, Help: a.help, Series: withoutDuplicates(seriesOf(views, seriesAgent)),
		})
	}
	slices.SortFunc(families, func(a, b exposition.Family) int { return cmp.Compare(a.Name, b.Name) })
	return families
}

// seriesOf gives one series of each of the members who have it. Of a source that can't be read nothing is true but the
// counter.
func seriesOf(views []*view, series int) iter.Seq2[*exposition.Labels, float64] {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, v := range views {
			if !v.readable && series != seriesTransitions {
				continue
			}
			for _, m := range v.members {
				if m.shown[series] && !yield(m.labels(series), m.values[series]) {
					return
				}
			}
		}
	}
}

// withoutDuplicates leaves out series whose labels an earlier one has.
func withoutDuplicates(all iter.Seq2[*exposition.Labels, float64]) iter.Seq2[*exposition.Labels, float64] {
	return func(yield func(*exposition.Labels, float64) bool) {
		seen := make(map[string]bool)
		for labels, value := range all {
			if text := labels.String(); !seen[text] {
				seen[text] = true
				if !yield(labels, value) {
					return
				}
			}
		}
	}
}

package collector

import (
	"cmp"
	"iter"
	"slices"

	"servicegroup_exporter/collector/exposition"
)

// MemberFamilies returns the series of all members as of the last polls, sorted by the names of the metrics. The series of a
// metric come source by source, and in each source sorted by group and member. They never change.
//
// They are not among what [Collector.Collect] emits, because client_golang would copy, check and sort every series again
// in every scrape: see [exposition]. The web server writes them beside the gathered families.
func (c *Collector) MemberFamilies() []exposition.Family {
	var all, readable [][]*memberSeries
	ofService := make(map[string][][]*memberSeries)
	for _, s := range *c.sources.Load() {
		series, isReadable := s.shownSeries()
		all = append(all, series)
		if isReadable {
			readable = append(readable, series)
			ofService[s.cfg.Service] = append(ofService[s.cfg.Service], series)
		}
	}
	var families []exposition.Family
	for i, metric := range c.env.descs.ofMember {
		lists := readable
		if i == seriesTransitions {
			lists = all // A counter continues while the source can't be read.
		}
		family := metric.family(seriesOf(lists, i))
		family.Counter = i == seriesTransitions
		families = append(families, family)
	}
	for service, metric := range c.env.descs.agents {
		families = append(families, metric.family(withoutDuplicates(seriesOf(ofService[service], seriesAgent))))
	}
	slices.SortFunc(families, func(a, b exposition.Family) int { return cmp.Compare(a.Name, b.Name) })
	return families
}

func (m *memberMetric) family(series iter.Seq2[*exposition.Labels, float64]) exposition.Family {
	return exposition.Family{Name: m.name, Help: m.help, LabelNames: m.labels, Series: series}
}

// seriesOf returns one series of each member that has it.
func seriesOf(lists [][]*memberSeries, series int) iter.Seq2[*exposition.Labels, float64] {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, members := range lists {
			for _, m := range members {
				if m.shown[series] && !yield(m.labels(series), m.values[series]) {
					return
				}
			}
		}
	}
}

// withoutDuplicates leaves out series with the same labels as an earlier one.
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

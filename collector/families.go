package collector

import (
	"cmp"
	"iter"
	"slices"

	"servicegroup_exporter/collector/exposition"
)

// A seriesFunc calls yield with labels and value of each series, until yield returns false.
type seriesFunc = iter.Seq2[*exposition.Labels, float64]

// Families returns the series of all groups and members as of the last polls, sorted by the names of the metrics. The series
// of a metric come source by source, and in each source sorted by group and member. They never change.
//
// They are not among what [Collector.Collect] emits, because client_golang would copy, check and sort every series again
// in every scrape: see [exposition]. The web server writes them beside the gathered families.
func (c *Collector) Families() []exposition.Family { return (&View{collector: c}).Families() }

// Families returns the same as [Collector.Families], for the caller of this view.
func (v *View) Families() []exposition.Family {
	var all, readable []*rendered
	ofService := make(map[string][]*rendered)
	for _, s := range *v.collector.sources.Load() {
		shown := v.shown(s)
		all = append(all, shown)
		if shown.readable {
			readable = append(readable, shown)
			ofService[s.cfg.Service] = append(ofService[s.cfg.Service], shown)
		}
	}
	d := v.collector.env.descs
	families := append(d.groupFamilies(all), d.memberDown.family(decisionSeries(all)), d.suspected.family(suspectSeries(all)),
		d.downSince.family(sinceSeries(all)),
		d.disabled.family(rareSeriesOf(all, (*rareSeries).yieldDisabled)),
		d.flapping.family(rareSeriesOf(all, (*rareSeries).yieldFlapping)),
		d.ahead.family(rareSeriesOf(readable, (*rareSeries).yieldAhead)))
	families = append(families, d.zoneFamilies(all)...)
	families = append(families, v.collector.hostFamilies(all)...)
	for i := range d.ofMember {
		sources := readable
		if i == seriesTransitions {
			sources = all // A counter continues while the source can't be read.
		}
		family := d.ofMember[i].family(memberSeriesOf(sources, i))
		family.Counter = i == seriesTransitions
		families = append(families, family)
	}
	for service, metric := range d.agents {
		families = append(families, metric.family(withoutDuplicates(memberSeriesOf(ofService[service], seriesAgent))))
	}
	slices.SortFunc(families, func(a, b exposition.Family) int { return cmp.Compare(a.Name, b.Name) })
	return families
}

func (m *metric) family(series seriesFunc) exposition.Family {
	return exposition.Family{Name: m.name, Help: m.help, LabelNames: m.labels, Series: series}
}

// memberSeriesOf returns one series of each member that has it.
func memberSeriesOf(sources []*rendered, series int) seriesFunc {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, s := range sources {
			for _, m := range s.members {
				if m.shown[series] && !yield(m.labels(series), m.values[series]) {
					return
				}
			}
		}
	}
}

// rareSeriesOf returns the series that few members have.
func rareSeriesOf(sources []*rendered, each func(*rareSeries, *memberSeries, func(*exposition.Labels, float64) bool) bool) seriesFunc {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, s := range sources {
			for _, m := range s.rare {
				if !each(m.rare, m, yield) {
					return
				}
			}
		}
	}
}

// decisionSeries returns servicegroup_member_down.
func decisionSeries(sources []*rendered) seriesFunc {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, s := range sources {
			for i := range s.down {
				if !yield(s.down[i].labels, s.down[i].value) {
					return
				}
			}
		}
	}
}

// suspectSeries returns servicegroup_member_suspected.
func suspectSeries(sources []*rendered) seriesFunc {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, s := range sources {
			for i := range s.suspects {
				if !yield(s.suspects[i].labels, s.suspects[i].value) {
					return
				}
			}
		}
	}
}

// sinceSeries returns servicegroup_member_down_since_timestamp_seconds.
func sinceSeries(sources []*rendered) seriesFunc {
	return func(yield func(*exposition.Labels, float64) bool) {
		for _, s := range sources {
			for i := range s.down {
				if !yield(s.down[i].sinceLabels, s.down[i].since) {
					return
				}
			}
		}
	}
}

// withoutDuplicates leaves out series with the same labels as an earlier one.
func withoutDuplicates(all seriesFunc) seriesFunc {
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

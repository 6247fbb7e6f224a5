package collector

import (
	"cmp"
	"iter"
	"slices"

	"servicegroup_exporter/collector/exposition"
)

// A seriesFunc calls yield with labels and value of each series, until yield returns false.
type seriesFunc = iter.Seq2[*exposition.Labels, float64]

type yieldFunc = func(*exposition.Labels, float64) bool

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
		}
		ofService[s.cfg.Service] = append(ofService[s.cfg.Service], shown)
	}
	d := v.collector.env.descs
	families := append(d.groupFamilies(all), d.memberDown.family(decisionSeries(all, downOf)), d.downSince.family(sinceSeries(all, downOf)),
		d.suspected.family(decisionSeries(all, suspectsOf)), d.suspectedSince.family(sinceSeries(all, suspectsOf)),
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
	for service, agent := range d.agents {
		families = append(families, agent.families(ofService[service])...)
	}
	slices.SortFunc(families, func(a, b exposition.Family) int { return cmp.Compare(a.Name, b.Name) })
	return families
}

func (m *metric) family(series seriesFunc) exposition.Family {
	return exposition.Family{Name: m.name, Help: m.help, LabelNames: m.labels, Series: series}
}

// seriesOf returns the series that each element of a kind has, source by source. An element's function returns false when yield did.
func seriesOf[T any](sources []*rendered, elements func(*rendered) []T, each func(e *T, yield yieldFunc) bool) seriesFunc {
	return func(yield yieldFunc) {
		for _, s := range sources {
			all := elements(s)
			for i := range all {
				if !each(&all[i], yield) {
					return
				}
			}
		}
	}
}

// memberSeriesOf returns one series of each member that has it. It does not call a function for each, because there are very many.
func memberSeriesOf(sources []*rendered, series int) seriesFunc {
	return func(yield yieldFunc) {
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
func rareSeriesOf(sources []*rendered, each func(*rareSeries, *memberSeries, yieldFunc) bool) seriesFunc {
	rare := func(s *rendered) []*memberSeries { return s.rare }
	return seriesOf(sources, rare, func(m **memberSeries, yield yieldFunc) bool { return each((*m).rare, *m, yield) })
}

// downOf and suspectsOf are the members of a source that are down, and that are suspected.
func downOf(s *rendered) []downSeries     { return s.down }
func suspectsOf(s *rendered) []downSeries { return s.suspects }

// decisionSeries returns servicegroup_member_down, or servicegroup_member_suspected.
func decisionSeries(sources []*rendered, of func(*rendered) []downSeries) seriesFunc {
	return seriesOf(sources, of, func(d *downSeries, yield yieldFunc) bool { return yield(d.labels, d.value) })
}

// sinceSeries returns the times since which these members are silent.
func sinceSeries(sources []*rendered, of func(*rendered) []downSeries) seriesFunc {
	return seriesOf(sources, of, func(d *downSeries, yield yieldFunc) bool { return yield(d.sinceLabels, d.since) })
}

// withoutDuplicates leaves out series with the same labels as an earlier one.
func withoutDuplicates(all seriesFunc) seriesFunc {
	return func(yield yieldFunc) {
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

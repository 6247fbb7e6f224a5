package web

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/collector/exposition"
)

// A metricSet has the metrics of an answer. Both parts are sorted by name, and no name is in both.
type metricSet struct {
	gathered []*dto.MetricFamily
	families []exposition.Family
	names    []string // of the metrics that were asked for; empty: all
}

// withoutClashes leaves out what OpenMetrics can't have beside a counter: a metric with the name of the counter without "_total", since
// these are one name there. Of the metrics of this program that is go_memstats_alloc_bytes, which go_memstats_heap_alloc_bytes repeats.
func withoutClashes(gathered []*dto.MetricFamily) []*dto.MetricFamily {
	counters := map[string]bool{}
	for _, f := range gathered {
		if name, ok := strings.CutSuffix(f.GetName(), "_total"); ok && f.GetType() == dto.MetricType_COUNTER {
			counters[name] = true
		}
	}
	return slices.DeleteFunc(gathered, func(f *dto.MetricFamily) bool { return counters[f.GetName()] })
}

// all yields, for each family sorted by name, a function that writes it.
func (m *metricSet) all(yield func(func(*exposition.Encoder) error) bool) {
	gathered, families := m.gathered, m.families
	for len(gathered) > 0 || len(families) > 0 {
		var name string
		var write func(*exposition.Encoder) error
		if len(families) == 0 || len(gathered) > 0 && gathered[0].GetName() < families[0].Name {
			next := gathered[0]
			gathered, name = gathered[1:], next.GetName()
			write = func(e *exposition.Encoder) error { return e.Gathered(next) }
		} else {
			next := &families[0]
			families, name = families[1:], next.Name
			write = func(e *exposition.Encoder) error { return e.Family(next) }
		}
		if (len(m.names) == 0 || slices.Contains(m.names, name)) && !yield(write) {
			return
		}
	}
}

package web

import (
	"slices"

	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/collector/exposition"
)

// A metricSet has the metrics of an answer. Both parts are sorted by name, and no name is in both.
type metricSet struct {
	gathered []*dto.MetricFamily
	families []exposition.Family
	names    []string // of the metrics that were asked for; empty: all
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

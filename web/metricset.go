package web

import (
	"slices"

	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/collector/exposition"
)

// A metricSet is what an answer consists of, both parts sorted by name. No name is in both.
type metricSet struct {
	gathered []*dto.MetricFamily
	families []exposition.Family
	names    []string // the metrics that were asked for; none: all of them
}

// all gives what writes each family of the set, sorted by name.
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

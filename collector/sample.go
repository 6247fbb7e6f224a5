package collector

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A sample is one series with its value. It never changes, so all scrapes share it until the value changes.
type sample struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair // sorted by name
	value   float64
	counter bool
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	if s.counter {
		out.Counter = &dto.Counter{Value: &s.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

// labelCheckSample returns the series of servicegroup_label_check.
func (d *descs) labelCheckSample() *sample {
	var pairs []string
	for _, name := range labelCheck() {
		pairs = append(pairs, name, name)
	}
	return &sample{desc: d.labelCheck, labels: labelPairs(pairs...), value: 1}
}

// labelPairs returns pairs of names and values, sorted by name as the exposition needs them.
func labelPairs(namesAndValues ...string) []*dto.LabelPair {
	pairs := make([]*dto.LabelPair, 0, len(namesAndValues)/2)
	for nv := range slices.Chunk(namesAndValues, 2) {
		pairs = append(pairs, &dto.LabelPair{Name: &nv[0], Value: &nv[1]})
	}
	slices.SortFunc(pairs, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return pairs
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// timestamp returns Unix seconds, and zero for the zero time.
func timestamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}

// Package exposition writes families of very many series in the formats that Prometheus reads.
//
// It writes a family byte for byte as client_golang does, but encodes labels only once for each format, so that a scrape
// copies them. client_golang gathers, checks, sorts and encodes every series in every scrape, which takes 6 to 20 times
// the CPU time above 1,000 members. It has no hook for families that are encoded already; with one, this package could go.
//
// Begin with [Encoder.Family]. The test compares its output in every format with client_golang's.
package exposition

import (
	"iter"

	dto "github.com/prometheus/client_model/go"
)

// A Family is a gauge or a counter, and its series.
type Family struct {
	Name, Help string
	Counter    bool     // it is a counter, whose name ends in _total; otherwise it is a gauge
	LabelNames []string // of all series, sorted

	// Series yields labels and value of each series, the same in every call. No two series have the same labels.
	Series iter.Seq2[*Labels, float64]
}

// DTO returns the family as client_golang would gather it, nil if it has no series.
func (f *Family) DTO() *dto.MetricFamily {
	family := &dto.MetricFamily{Name: &f.Name, Help: &f.Help, Type: f.kind().Enum()}
	for labels, value := range f.Series {
		m := &dto.Metric{Label: labels.pairs()}
		if f.Counter {
			m.Counter = &dto.Counter{Value: &value}
		} else {
			m.Gauge = &dto.Gauge{Value: &value}
		}
		family.Metric = append(family.Metric, m)
	}
	if len(family.Metric) == 0 {
		return nil
	}
	return family
}

func (f *Family) kind() dto.MetricType {
	if f.Counter {
		return dto.MetricType_COUNTER
	}
	return dto.MetricType_GAUGE
}

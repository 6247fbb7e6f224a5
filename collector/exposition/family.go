// Package exposition writes families of very many series in the formats that Prometheus reads, byte for byte as
// client_golang does, but without making anything anew that has not changed: labels are written down once per format,
// and a scrape copies them.
package exposition

import (
	"iter"

	dto "github.com/prometheus/client_model/go"
)

// A Family is a metric without histograms, and its series.
type Family struct {
	Name, Help string
	Counter    bool // the name ends in _total; otherwise it is a gauge
	LabelNames []string

	// Series gives labels and value of each series, and the same whenever it is called. No labels come twice.
	Series iter.Seq2[*Labels, float64]
}

// DTO gives the family as client_golang would gather it, nil if it has no series.
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

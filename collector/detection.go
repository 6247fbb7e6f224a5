package collector

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A Detection has the detection latencies of a group so far: servicegroup_detection_latency_seconds.
type Detection struct {
	Source, Group string
	Count         uint64
	Sum           time.Duration
	Buckets       []DetectionBucket // cumulative, without the last bucket, which has no bound
}

// A DetectionBucket counts the deaths whose detection latency was at most Within.
type DetectionBucket struct {
	Within time.Duration
	Count  uint64
}

// Detection returns the detection latencies of every group, sorted by source and group.
func (c *Collector) Detection() []Detection {
	var all []Detection
	for m := range metricsOf(c.env.metrics.latency) {
		var written dto.Metric
		if err := m.Write(&written); err != nil {
			continue // A histogram's own metrics can always be written.
		}
		all = append(all, newDetection(&written))
	}
	slices.SortFunc(all, func(a, b Detection) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Group, b.Group))
	})
	return all
}

// metricsOf returns a channel of the metrics that a collector emits.
func metricsOf(from prometheus.Collector) <-chan prometheus.Metric {
	ch := make(chan prometheus.Metric)
	go func() {
		defer close(ch)
		from.Collect(ch)
	}()
	return ch
}

func newDetection(m *dto.Metric) Detection {
	var d Detection
	for _, label := range m.GetLabel() {
		switch label.GetName() {
		case "source":
			d.Source = label.GetValue()
		case "group":
			d.Group = label.GetValue()
		}
	}
	h := m.GetHistogram()
	d.Count, d.Sum = h.GetSampleCount(), inSeconds(h.GetSampleSum())
	for _, b := range h.GetBucket() {
		d.Buckets = append(d.Buckets, DetectionBucket{inSeconds(b.GetUpperBound()), b.GetCumulativeCount()})
	}
	return d
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

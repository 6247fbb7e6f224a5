package collector

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A View is what one caller of [Collector.Poll] can know: the same as all others, except that a source is unknown that did not
// answer in the caller's time, if nothing recent is known of it.
type View struct {
	collector *Collector
	late      map[*source]*rendered // of the sources that are unknown to this caller
}

// newView returns a view. Late has, for each source, what replaces its rendering in this view, or nil.
func newView(c *Collector, sources []*source, late []*rendered) *View {
	v := &View{collector: c}
	for i, s := range sources {
		if late[i] == nil {
			continue
		}
		if v.late == nil {
			v.late = map[*source]*rendered{}
		}
		v.late[s] = late[i]
	}
	return v
}

// shown returns what this view shows of a source.
func (v *View) shown(s *source) *rendered {
	if late := v.late[s]; late != nil {
		return late
	}
	return s.shown.Load()
}

// Describe implements prometheus.Collector.
func (v *View) Describe(ch chan<- *prometheus.Desc) { v.collector.Describe(ch) }

// Collect implements prometheus.Collector: see [Collector.Collect].
func (v *View) Collect(ch chan<- prometheus.Metric) {
	for _, s := range *v.collector.sources.Load() {
		for _, sample := range v.shown(s).samples {
			ch <- sample
		}
	}
	ch <- v.collector.env.descs.labelCheckSample()
}

// Correct replaces, in families that a registry of the collector has gathered, what the collector has emitted by what this view
// shows. Most views show the same.
func (v *View) Correct(gathered []*dto.MetricFamily) ([]*dto.MetricFamily, error) {
	if len(v.late) == 0 {
		return gathered, nil
	}
	general, err := gather(v.collector)
	own, err2 := gather(v)
	if err := errors.Join(err, err2); err != nil {
		return gathered, fmt.Errorf("gathering the metrics of a view: %w", err)
	}
	replaced := map[string]bool{}
	for _, family := range slices.Concat(general, own) {
		replaced[family.GetName()] = true
	}
	gathered = slices.DeleteFunc(gathered, func(f *dto.MetricFamily) bool { return replaced[f.GetName()] })
	gathered = append(gathered, own...)
	slices.SortFunc(gathered, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return gathered, nil
}

func gather(c prometheus.Collector) ([]*dto.MetricFamily, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(c); err != nil {
		return nil, err
	}
	return registry.Gather()
}

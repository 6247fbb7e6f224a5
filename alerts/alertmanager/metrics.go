package alertmanager

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the series of all Alertmanagers, each with the label "alertmanager".
type Metrics struct {
	up, offset, firing, queued, lastSuccess, mismatches *prometheus.GaugeVec
	sent, failed, dropped                               *prometheus.CounterVec
	latency                                             *prometheus.HistogramVec

	mu    sync.Mutex
	users map[string]int // clients by Alertmanager: the old and the new one, while a reload replaces it
}

// NewMetrics registers the series; reg may be nil.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		opts := prometheus.GaugeOpts{Name: "servicegroup_alerts_" + name, Help: help}
		return prometheus.NewGaugeVec(opts, append([]string{"alertmanager"}, labels...))
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		opts := prometheus.CounterOpts{Name: "servicegroup_alerts_" + name, Help: help}
		return prometheus.NewCounterVec(opts, append([]string{"alertmanager"}, labels...))
	}
	m := &Metrics{
		users: map[string]int{},
		up:    gauge("alertmanager_up", "Whether the newest request to the Alertmanager succeeded."),
		offset: gauge("clock_offset_seconds",
			"Clock of the Alertmanager minus this machine's clock, as far as its answers prove it: 0 while they can be equal."),
		firing: gauge("firing",
			"Alerts that the Alertmanager was told of and takes for firing: not resolved, and posted again in time."),
		queued: gauge("queue_length", "Alerts that wait to be posted."),
		lastSuccess: gauge("last_success_timestamp_seconds",
			"When the Alertmanager last took alerts or answered a probe; 0 before that."),
		mismatches: gauge("label_mismatches",
			"Checked alerts of which the Alertmanager holds a second one, with another value of the label.", "label"),
		sent: counter("sent_total", "Alerts that the Alertmanager took, re-posts included."),
		failed: counter("failed_total",
			"Alerts in requests that failed, by reason. They are posted again unless the Alertmanager refuses them.", "reason"),
		dropped: counter("dropped_total",
			"Alerts that are not posted again: refused by the Alertmanager, or too many to keep."),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "servicegroup_alerts_delivery_latency_seconds",
			Help:                            "Time from the end of the poll that found an alert begun or ended until the Alertmanager had taken it.",
			Buckets:                         []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"alertmanager"}),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.up, m.offset, m.firing, m.queued, m.lastSuccess, m.mismatches, m.sent, m.failed, m.dropped, m.latency,
	} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return m, nil
}

// series are those of one Alertmanager, for one client. They can be used after their end, and then show nowhere.
type series struct {
	metrics *Metrics
	name    string

	up, offset, firing, queued, lastSuccess prometheus.Gauge
	sent, dropped                           prometheus.Counter
	failed                                  map[reason]prometheus.Counter
	latency                                 prometheus.Observer
}

// add starts the series of an Alertmanager at zero, so that their first increase is seen.
func (m *Metrics) add(name string) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users[name]++
	s := &series{
		metrics: m, name: name,
		up:          m.up.WithLabelValues(name),
		offset:      m.offset.WithLabelValues(name),
		firing:      m.firing.WithLabelValues(name),
		queued:      m.queued.WithLabelValues(name),
		lastSuccess: m.lastSuccess.WithLabelValues(name),
		sent:        m.sent.WithLabelValues(name),
		dropped:     m.dropped.WithLabelValues(name),
		failed:      map[reason]prometheus.Counter{},
		latency:     m.latency.WithLabelValues(name),
	}
	for _, r := range reasons() {
		s.failed[r] = m.failed.WithLabelValues(name, string(r))
	}
	return s
}

// setMismatches shows how many checked alerts have a second one that differs in each label.
func (s *series) setMismatches(counts map[string]int) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	if s.metrics.users[s.name] == 0 {
		return
	}
	for label, n := range counts {
		s.metrics.mismatches.WithLabelValues(s.name, label).Set(float64(n))
	}
}

// end ends the series, when this was the last client of its Alertmanager.
func (s *series) end() {
	m := s.metrics
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users[s.name]--; m.users[s.name] > 0 {
		return
	}
	delete(m.users, s.name)
	of := prometheus.Labels{"alertmanager": s.name}
	for _, g := range []*prometheus.GaugeVec{m.up, m.offset, m.firing, m.queued, m.lastSuccess, m.mismatches} {
		g.DeletePartialMatch(of)
	}
	for _, c := range []*prometheus.CounterVec{m.sent, m.failed, m.dropped} {
		c.DeletePartialMatch(of)
	}
	m.latency.DeletePartialMatch(of)
}

package alertmanager

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the metrics of all clients. Each has the label "alertmanager".
type Metrics struct {
	up, offset, firing, queued, lastSuccess, mismatches *prometheus.GaugeVec
	sent, errors, dropped, overOnArrival                *prometheus.CounterVec
	latency                                             *prometheus.HistogramVec

	mu    sync.Mutex
	users map[string]int // number of clients by Alertmanager: two while a reload replaces one
}

// NewMetrics registers the metrics; reg may be nil.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := newMetrics()
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.up, m.offset, m.firing, m.queued, m.lastSuccess, m.mismatches, m.sent, m.errors, m.dropped, m.overOnArrival,
		m.latency,
	} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return m, nil
}

func newMetrics() *Metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		opts := prometheus.GaugeOpts{Name: "servicegroup_" + name, Help: help}
		return prometheus.NewGaugeVec(opts, append([]string{"alertmanager"}, labels...))
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		opts := prometheus.CounterOpts{Name: "servicegroup_" + name, Help: help}
		return prometheus.NewCounterVec(opts, append([]string{"alertmanager"}, labels...))
	}
	return &Metrics{
		users: map[string]int{},
		up: gauge("notifications_alertmanager_up",
			"The last request to the Alertmanager succeeded (1) or failed (0). Alert on == 0: deaths are notified by the rules alone."),
		offset: gauge("notifications_alertmanager_clock_offset_seconds",
			"The Alertmanager's clock is ahead of this machine's by this much, estimated from its answers; 0 while both may be equal."),
		firing: gauge("alerts_firing",
			"This many alerts of this exporter are firing in the Alertmanager."),
		queued: gauge("notifications_queue_length", "This many notifications wait in the queue."),
		lastSuccess: gauge("notifications_last_success_timestamp_seconds",
			"The last request to the Alertmanager that succeeded was made at this time by this machine's clock; 0: none was. Alert when it is old."),
		mismatches: gauge("notifications_label_mismatches",
			"This many alerts stand in the Alertmanager a second time, with another value of the label. Alert on > 0: each death notifies twice.", "label"),
		sent: counter("notifications_sent_total", "The Alertmanager accepted this many notifications, repetitions included."),
		errors: counter("notifications_errors_total",
			"This many notifications were in requests that failed, by reason. They are sent again unless the Alertmanager refused them.", "reason"),
		dropped: counter("notifications_dropped_total",
			"This many notifications were dropped, because the Alertmanager refused them or the queue was full. Alert on an increase."),
		overOnArrival: counter("notifications_over_on_arrival_total",
			"The Alertmanager accepted this many alerts that were over by its own clock. They were sent again at once by that clock, "+
				"so that none is lost and no rule reads this counter. If it keeps growing, that clock is set again and again."),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "servicegroup_notifications_latency_seconds",
			Help:                            "Each start and each end of an alert is observed with the time from the end of the poll that found it until the Alertmanager had accepted it.",
			Buckets:                         []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"alertmanager"}),
	}
}

// series are the metrics of one client. They may be used after remove, and are not exposed then.
type series struct {
	metrics *Metrics
	name    string

	up, offset, firing, queued, lastSuccess prometheus.Gauge
	sent, dropped, overOnArrival            prometheus.Counter
	errors                                  map[reason]prometheus.Counter
	latency                                 prometheus.Observer
}

// add creates the series of an Alertmanager with the value zero, so that their first increase can be computed.
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

		overOnArrival: m.overOnArrival.WithLabelValues(name),
		errors:        map[reason]prometheus.Counter{},
		latency:       m.latency.WithLabelValues(name),
	}
	for _, r := range reasons() {
		s.errors[r] = m.errors.WithLabelValues(name, string(r))
	}
	return s
}

// setMismatches sets the number of label mismatches, by label.
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

// remove removes the series, if this is the last client of its Alertmanager.
func (s *series) remove() {
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
	for _, c := range []*prometheus.CounterVec{m.sent, m.errors, m.dropped, m.overOnArrival} {
		c.DeletePartialMatch(of)
	}
	m.latency.DeletePartialMatch(of)
}

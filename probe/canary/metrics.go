package canary

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/collector"
)

// A reason is why a round failed. The set of reasons is closed: they are values of a metric label.
type reason string

const (
	reasonUnavailable reason = "unavailable" // the backend can't be read
	reasonJoin        reason = "join"        // the canary could not join or return
	reasonUnseen      reason = "unseen"      // the canary is alive, but polls don't see it up
	reasonUndetected  reason = "undetected"  // the canary is dead, but polls don't see it down
	reasonLeave       reason = "leave"       // the canary could not be removed
)

func reasons() []reason {
	return []reason{reasonUnavailable, reasonJoin, reasonUnseen, reasonUndetected, reasonLeave}
}

type metrics struct {
	detection, recovery *prometheus.HistogramVec
	rounds, failures    *prometheus.CounterVec
	lastSuccess         *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	source := []string{"source"}
	m := &metrics{
		detection: collector.NewHistogram("servicegroup_canary_detection_latency_seconds",
			"Time from the death of the canary to the poll that saw it down.", source,
			0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 75, 90, 120, 180, 300, 600),
		recovery: collector.NewHistogram("servicegroup_canary_recovery_latency_seconds",
			"Time from the return of the canary to the poll that saw it up.", source,
			0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
		rounds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "servicegroup_canary_rounds_total",
			Help: "Rounds that have ended, whether they succeeded or failed.",
		}, source),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "servicegroup_canary_failures_total",
			Help: "Rounds that failed, by reason.",
		}, []string{"source", "reason"}),
		lastSuccess: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "servicegroup_canary_last_success_timestamp_seconds",
			Help: "Unix time at which the last successful round ended.",
		}, source),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.detection, m.recovery, m.rounds, m.failures, m.lastSuccess} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("registering the metrics of the canary: %w", err)
	}
	return m, nil
}

// add initializes the series of a source with zero, so that rate() sees their first increase.
func (m *metrics) add(source string) {
	m.detection.WithLabelValues(source)
	m.recovery.WithLabelValues(source)
	m.rounds.WithLabelValues(source)
	for _, r := range reasons() {
		m.failures.WithLabelValues(source, string(r))
	}
}

// remove deletes all series of a source.
func (m *metrics) remove(source string) {
	labels := prometheus.Labels{"source": source}
	m.detection.DeletePartialMatch(labels)
	m.recovery.DeletePartialMatch(labels)
	m.rounds.DeletePartialMatch(labels)
	m.failures.DeletePartialMatch(labels)
	m.lastSuccess.DeletePartialMatch(labels)
}

// roundEnded counts a round, which failed if err is not nil.
func (m *metrics) roundEnded(source string, err error) {
	m.rounds.WithLabelValues(source).Inc()
	if err == nil {
		m.lastSuccess.WithLabelValues(source).SetToCurrentTime()
		return
	}
	reason := reasonUnavailable
	if failed, ok := errors.AsType[*failure](err); ok {
		reason = failed.reason
	}
	m.failures.WithLabelValues(source, string(reason)).Inc()
}

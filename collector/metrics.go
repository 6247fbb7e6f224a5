package collector

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// metrics are the counters and histograms of events. The series of what is known at present are rendered from the trackers.
type metrics struct {
	latency, outage, suspicion       *prometheus.HistogramVec
	suspicions, pollErrors, rejected *prometheus.CounterVec
	saveFailures, loadFailures       *prometheus.CounterVec
	eventsDropped                    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	labels := []string{"source", "group"}
	m := &metrics{
		latency: NewHistogram("servicegroup_detection_latency_seconds",
			"Each death is observed with the time from the member's last proof of life to the moment this program saw it down.", labels,
			0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 75, 90, 120, 180, 300, 600),
		outage: NewHistogram("servicegroup_outage_duration_seconds",
			"Each recovery is observed with the time from the member's last proof of life before its death to the poll that found "+
				"it up again.", labels,
			1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 3*3600, 12*3600, 24*3600, 7*24*3600),
		suspicion: NewHistogram("servicegroup_suspicion_latency_seconds",
			"Each suspicion is observed with the time from the member's last proof of life to the moment this program suspected it.", labels,
			1, 2.5, 5, 10, 15, 20, 25, 30, 45, 60, 75, 90, 120, 180, 300),
		suspicions: counter("servicegroup_suspicions_total",
			"This many suspicions of members have ended, by outcome: confirmed (the member was down by the service's own rule), refuted (the "+
				"member reported, so that the suspicion was a mistake) or left (the member was removed).",
			"source", "group", "outcome"),
		pollErrors: counter("servicegroup_source_poll_errors_total",
			"This many polls of the source failed, by reason. While the number grows, the state of the source's members is unknown.",
			"source", "reason"),
		rejected: counter("servicegroup_source_rejected_members_total",
			"This many entries look like members but could not be used, by reason. Every poll counts them again.",
			"source", "reason"),
		saveFailures: counter("servicegroup_state_save_failures_total",
			"Saving the state file of the source failed this many times. A restart would start from an older state.",
			"source"),
		loadFailures: counter("servicegroup_state_load_failures_total",
			"What was saved of the source could not be loaded this many times, or not all of it. Members that had died before and that the "+
				"backend does not list are forgotten, and alerts are over that fired while the source could not be read.",
			"source"),
		eventsDropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "servicegroup_events_dropped_total",
			Help: "This many events were not delivered because a subscriber was too slow.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.latency, m.outage, m.suspicion, m.suspicions, m.pollErrors, m.rejected, m.saveFailures,
		m.loadFailures, m.eventsDropped,
	} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return m, nil
}

// NewHistogram returns a histogram that is both classic and native, with the settings that Prometheus and Alertmanager use for
// their own histograms.
func NewHistogram(name, help string, labels []string, buckets ...float64) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// addSource starts a source's counters at zero, so that Prometheus sees their first increase.
func (m *metrics) addSource(source string) {
	for _, reason := range drivers.Reasons() {
		m.pollErrors.WithLabelValues(source, string(reason))
	}
	for _, reason := range tracker.RejectionReasons() {
		m.rejected.WithLabelValues(source, reason)
	}
	m.saveFailures.WithLabelValues(source)
	m.loadFailures.WithLabelValues(source)
}

// removeSource ends all series of a source.
func (m *metrics) removeSource(source string) {
	labels := prometheus.Labels{"source": source}
	m.latency.DeletePartialMatch(labels)
	m.outage.DeletePartialMatch(labels)
	m.suspicion.DeletePartialMatch(labels)
	m.suspicions.DeletePartialMatch(labels)
	m.pollErrors.DeletePartialMatch(labels)
	m.rejected.DeletePartialMatch(labels)
	m.saveFailures.DeletePartialMatch(labels)
	m.loadFailures.DeletePartialMatch(labels)
}

// observe counts what a poll changed. Groups of a source whose members can't be suspected have no series about suspicions.
func (m *metrics) observe(source string, changes *tracker.Changes, canSuspect bool) {
	for _, group := range changes.NewGroups {
		m.latency.WithLabelValues(source, group)
		m.outage.WithLabelValues(source, group)
		if canSuspect {
			m.addSuspicions(source, group)
		}
	}
	for _, e := range changes.Events {
		if e.Outcome != "" {
			m.suspicions.WithLabelValues(source, e.Member.Group, string(e.Outcome)).Inc()
		}
		switch {
		case !e.HasLatency:
		case e.Type == EventDeath:
			m.latency.WithLabelValues(source, e.Member.Group).Observe(e.Latency.Seconds())
		case e.Type == EventRecovery:
			m.outage.WithLabelValues(source, e.Member.Group).Observe(e.Latency.Seconds())
		case e.Type == EventSuspect:
			m.suspicion.WithLabelValues(source, e.Member.Group).Observe(e.Latency.Seconds())
		}
	}
	for _, group := range changes.GoneGroups {
		m.latency.DeleteLabelValues(source, group)
		m.outage.DeleteLabelValues(source, group)
		m.suspicion.DeleteLabelValues(source, group)
		m.suspicions.DeletePartialMatch(prometheus.Labels{"source": source, "group": group})
	}
	for reason, n := range changes.Rejected {
		m.rejected.WithLabelValues(source, reason).Add(float64(n))
	}
}

// beginSuspicions starts the counters of suspicions at zero in the groups of members, which are sorted by group.
func (m *metrics) beginSuspicions(source string, members []*tracker.Member) {
	for i, member := range members {
		if i == 0 || members[i-1].Group != member.Group {
			m.addSuspicions(source, member.Group)
		}
	}
}

// addSuspicions starts the counters of a group's suspicions at zero.
func (m *metrics) addSuspicions(source, group string) {
	m.suspicion.WithLabelValues(source, group)
	for _, outcome := range tracker.Outcomes() {
		m.suspicions.WithLabelValues(source, group, string(outcome))
	}
}

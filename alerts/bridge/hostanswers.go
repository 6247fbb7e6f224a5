package bridge

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

const (
	// askInterval is the time between two questions to Prometheus, and answerLasts is how long an answer is believed.
	askInterval = 10 * time.Second
	answerLasts = 3 * askInterval
)

// hostAnswers has what Prometheus said last about which hosts answer. It asks in the background, so that an alert never waits for it.
type hostAnswers struct {
	query *alerts.HostQuery
	log   *slog.Logger

	mu    sync.Mutex
	known map[string]string // by host: "yes" or "no"
	asked time.Time         // when the last answer came; zero: none has
}

// newHostAnswers returns what asks the Prometheus of a configuration; nil: the configuration has none.
func newHostAnswers(cfg *config.Alerting, transport http.RoundTripper, log *slog.Logger) (*hostAnswers, error) {
	if cfg.Prometheus == nil {
		return nil, nil
	}
	query, err := alerts.NewHostQuery(cfg, transport)
	if err != nil {
		return nil, err
	}
	return &hostAnswers{query: query, log: log.With("prometheus", cfg.Prometheus.Name())}, nil
}

// of returns whether a host answers: "yes", "no" or [alerts.HostUnknown].
func (h *hostAnswers) of(host string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if answer, ok := h.known[host]; ok && time.Since(h.asked) < answerLasts {
		return answer
	}
	return alerts.HostUnknown
}

// HostAnswers returns a function that says, without waiting, whether a host answers by another way than heartbeats: "yes", "no" or
// [alerts.HostUnknown]. Nil: the configuration in use has no Prometheus to ask.
func (b *Bridge) HostAnswers() func(host string) string {
	b.firing.Lock()
	defer b.firing.Unlock()
	if b.current.hosts == nil {
		return nil
	}
	return b.current.hosts.of
}

// run asks at intervals until ctx ends.
func (h *hostAnswers) run(ctx context.Context) {
	defer h.query.Close()
	var failing drivers.LastingError
	tick := time.NewTicker(askInterval)
	defer tick.Stop()
	for {
		report, err := h.query.Ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			h.mu.Lock()
			h.known, h.asked = report.Answers, time.Now()
			h.mu.Unlock()
		}
		logError, logEnd := failing.Update(err)
		if logError {
			h.log.Warn("Asking Prometheus which hosts answer failed, alerts say that it is unknown", "err", err)
		}
		if logEnd {
			h.log.Info("Prometheus says again which hosts answer")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

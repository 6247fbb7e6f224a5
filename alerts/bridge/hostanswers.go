package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

const (
	// askInterval is the time between two questions to Prometheus, and answerLasts is how long an answer is believed.
	askInterval = 10 * time.Second
	answerLasts = 3 * askInterval
	// maxHostAnswer is the maximum size of an answer: more than that of 100,000 hosts.
	maxHostAnswer = 64 << 20
	// maxReason is how much of an error is logged, in bytes.
	maxReason = 300
)

// hostAnswers has what Prometheus said last about which hosts answer. It asks in the background, so that an alert never waits for it.
type hostAnswers struct {
	url     string
	timeout time.Duration
	cluster string // the label that tells clusters apart
	own     string // its value for the alerts of this program; empty: they have none
	client  *http.Client
	log     *slog.Logger

	mu    sync.Mutex
	known map[string]string // by host: "yes" or "no"
	asked time.Time         // when the last answer came; zero: none has
}

// newHostAnswers returns what asks the Prometheus of a configuration; nil: the configuration has none.
func newHostAnswers(cfg *config.Alerting, transport http.RoundTripper, log *slog.Logger) (*hostAnswers, error) {
	if cfg.Prometheus == nil {
		return nil, nil
	}
	client, err := alertmanager.NewHTTPClient(cfg.Prometheus, transport)
	if err != nil {
		return nil, fmt.Errorf("alerting.prometheus: %w", err)
	}
	own := cfg.Labels[cfg.ClusterLabel]
	if own == "" {
		own = cfg.ExternalLabels[cfg.ClusterLabel]
	}
	address := cfg.Prometheus.URL.JoinPath("api/v1/query")
	address.RawQuery = url.Values{"query": {cfg.HostQuery}, "timeout": {cfg.Prometheus.Timeout.String()}}.Encode()
	return &hostAnswers{
		url: address.String(), timeout: time.Duration(cfg.Prometheus.Timeout), cluster: cfg.ClusterLabel, own: own, client: client,
		log: log.With("prometheus", cfg.Prometheus.Name()),
	}, nil
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
	defer h.client.CloseIdleConnections()
	var failing drivers.LastingError
	tick := time.NewTicker(askInterval)
	defer tick.Stop()
	for {
		known, err := h.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			h.mu.Lock()
			h.known, h.asked = known, time.Now()
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

// ask returns the answers of Prometheus about the hosts of this cluster.
func (h *hostAnswers) ask(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, nil)
	if err != nil {
		return nil, errors.New("building the request: the URL is not valid")
	}
	response, err := h.client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // Without the URL, which may have a password.
		}
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			ResultType string
			Result     []hostSample
		}
	}
	decoding := json.NewDecoder(http.MaxBytesReader(nil, response.Body, maxHostAnswer)).Decode(&answer)
	switch {
	case answer.Error != "":
		return nil, fmt.Errorf("it answers %s: %s", response.Status, tracker.Shorten(answer.Error, maxReason))
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", response.Status)
	case decoding != nil:
		return nil, fmt.Errorf("reading its answer: %w", decoding)
	case answer.Data.ResultType != "vector":
		return nil, fmt.Errorf("the result of host_query is a %s, and not a vector with the label host", answer.Data.ResultType)
	}
	return h.read(answer.Data.Result)
}

// A hostSample is an element of the result of a query.
type hostSample struct {
	Metric map[string]string
	Value  [2]json.RawMessage // the time, and the value as text
}

// read returns the answers by host. As in the rules, a host answers if one of its samples says so, and a sample without the cluster
// label is about any cluster.
func (h *hostAnswers) read(samples []hostSample) (map[string]string, error) {
	known := make(map[string]string, len(samples))
	for i := range samples {
		host, cluster := samples[i].Metric["host"], samples[i].Metric[h.cluster]
		if host == "" || cluster != "" && cluster != h.own {
			continue
		}
		value, err := strconv.ParseFloat(strings.Trim(string(samples[i].Value[1]), `"`), 64)
		if err != nil {
			return nil, fmt.Errorf("reading the value of host %q: %w", host, err)
		}
		if answers := alerts.HostAnswers(value); known[host] == "" || answers == alerts.HostAnswers(1) {
			known[host] = answers
		}
	}
	return known, nil
}

package alerts

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

const (
	// maxHostAnswer is the maximum size of an answer: more than that of 100,000 hosts.
	maxHostAnswer = 64 << 20
	// maxReason is how much of an error of Prometheus is passed on, in bytes.
	maxReason = 300
)

// A HostQuery asks the Prometheus of a configuration which hosts answer.
type HostQuery struct {
	url     string
	timeout time.Duration
	cluster string // the label that tells clusters apart
	own     string // its value for the alerts of this program; empty: they have none
	client  *http.Client
}

// NewHostQuery returns the query of a valid configuration that has a Prometheus. The transport is of tests; nil: the configuration's.
func NewHostQuery(cfg *config.Alerting, transport http.RoundTripper) (*HostQuery, error) {
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
	return &HostQuery{address.String(), time.Duration(cfg.Prometheus.Timeout), cfg.ClusterLabel, own, client}, nil
}

// Close closes the connections.
func (q *HostQuery) Close() { q.client.CloseIdleConnections() }

// A HostReport is an answer about the hosts of this cluster.
type HostReport struct {
	Answers map[string]string    // by host: "yes" or "no"
	Samples int                  // of the result, also those about other clusters and without a host
	TLS     *tls.ConnectionState // nil: the connection is not encrypted
}

// A QueryError says why Prometheus can't use the expression.
type QueryError struct{ text string }

func (e *QueryError) Error() string { return e.text }

// Ask asks once.
func (q *HostQuery) Ask(ctx context.Context) (*HostReport, error) {
	ctx, cancel := drivers.WithLimit(ctx, q.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, http.NoBody)
	if err != nil {
		return nil, errors.New("building the request: the URL is not valid")
	}
	response, err := q.client.Do(request)
	if err != nil {
		if drivers.Ended(ctx) {
			return nil, drivers.NoAnswer(ctx, err)
		}
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // Without the URL, which may have a password.
		}
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		ErrorType, Error string
		Data             struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	decoding := json.NewDecoder(http.MaxBytesReader(nil, response.Body, maxHostAnswer)).Decode(&answer)
	text := fmt.Sprintf("it answers %s: %s", response.Status, tracker.Shorten(answer.Error, maxReason))
	switch {
	case answer.ErrorType == "bad_data" || answer.ErrorType == "execution":
		return nil, &QueryError{text}
	case answer.Error != "":
		return nil, errors.New(text)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", response.Status)
	case decoding != nil && drivers.Ended(ctx):
		return nil, drivers.NoAnswer(ctx, decoding)
	case decoding != nil:
		return nil, fmt.Errorf("reading its answer: %w", decoding)
	case answer.Data.ResultType != "vector":
		return nil, &QueryError{fmt.Sprintf("the result of host_query is a %s, and not a vector with the label host", answer.Data.ResultType)}
	}
	report, err := q.read(answer.Data.Result)
	if err != nil {
		return nil, err
	}
	report.TLS = response.TLS
	return report, nil
}

// A hostSample is an element of the result of a query.
type hostSample struct {
	Metric map[string]string
	Value  [2]json.RawMessage // the time, and the value as text
}

// read reads a result. As in the rules, a host answers if one of its samples says so, and a sample without the cluster label is about
// any cluster.
func (q *HostQuery) read(result json.RawMessage) (*HostReport, error) {
	var samples []hostSample
	if err := json.Unmarshal(result, &samples); err != nil {
		return nil, fmt.Errorf("reading its answer: %w", err)
	}
	report := &HostReport{Answers: make(map[string]string, len(samples)), Samples: len(samples)}
	for i := range samples {
		host, cluster := samples[i].Metric["host"], samples[i].Metric[q.cluster]
		if host == "" || cluster != "" && cluster != q.own {
			continue
		}
		value, err := strconv.ParseFloat(strings.Trim(string(samples[i].Value[1]), `"`), 64)
		if err != nil {
			return nil, fmt.Errorf("reading the value of host %q: %w", host, err)
		}
		if answers := HostAnswers(value); report.Answers[host] == "" || answers == HostAnswers(1) {
			report.Answers[host] = answers
		}
	}
	return report, nil
}

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// An alertProxy is a proxy in front of Alertmanager that records when Alertmanager accepted which alert. It can shift the
// clock of Alertmanager as the sender sees it.
type alertProxy struct {
	t      testserver.TB
	server *httptest.Server

	mu       sync.Mutex
	offset   time.Duration // of the clock of Alertmanager as the sender sees it
	accepted []accepted
}

// accepted is one alert in one request.
type accepted struct {
	time   time.Time // when Alertmanager had responded
	member string
	firing bool
}

func newAlertProxy(t testserver.TB, target string) *alertProxy {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatalf("Alertmanager's URL: %v", err)
	}
	p := &alertProxy{t: t}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) {
		w.Header()["Date"] = nil // The clock of Alertmanager is unknown.
		w.WriteHeader(http.StatusBadGateway)
	}
	proxy.ModifyResponse = p.shiftDate
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(proxy, w, r) }))
	t.Cleanup(p.server.Close)
	return p
}

func (p *alertProxy) url() string { return p.server.URL }

// setOffset shifts the clock of Alertmanager, as the sender sees it, ahead by d.
func (p *alertProxy) setOffset(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offset = d
}

func (p *alertProxy) currentOffset() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offset
}

func (p *alertProxy) shiftDate(r *http.Response) error {
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		r.Header.Set("Date", date.Add(p.currentOffset()).UTC().Format(http.TimeFormat))
	}
	return nil
}

func (p *alertProxy) serve(proxy http.Handler, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		proxy.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The sender has closed the connection.
	}
	var alerts []testserver.Alert
	if err := json.Unmarshal(body, &alerts); err != nil {
		p.t.Logf("decoding alerts: %v", err)
	}
	offset := p.currentOffset()
	for i := range alerts {
		alerts[i].StartsAt, alerts[i].EndsAt = alerts[i].StartsAt.Add(-offset), alerts[i].EndsAt.Add(-offset)
	}
	shifted, err := json.Marshal(alerts)
	if err != nil {
		p.t.Logf("encoding alerts: %v", err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(shifted)), int64(len(shifted))
	response := &statusWriter{ResponseWriter: w}
	proxy.ServeHTTP(response, r)
	if response.status == http.StatusOK {
		p.record(alerts, time.Now())
	}
}

func (p *alertProxy) record(alerts []testserver.Alert, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range alerts {
		if a.Labels["alertname"] == "ServiceGroupMemberDown" {
			p.accepted = append(p.accepted, accepted{now, a.Labels["member"], a.EndsAt.After(now)})
		}
	}
}

// first returns when Alertmanager first accepted, after a time, that a member is down, or zero if it did not.
func (p *alertProxy) first(member string, after time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.accepted {
		if t.member == member && t.firing && t.time.After(after) {
			return t.time
		}
	}
	return time.Time{}
}

// A statusWriter remembers the status code of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

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

// A tap stands before Alertmanager and notes when it has taken which alert. It can make Alertmanager's clock look as if it
// were another than the sender's.
type tap struct {
	t      testserver.TB
	server *httptest.Server

	mu     sync.Mutex
	offset time.Duration // of the clock that the sender sees
	taken  []taken
}

// taken is one alert in one post.
type taken struct {
	time   time.Time // when Alertmanager had answered
	member string
	firing bool
}

func newTap(t testserver.TB, target string) *tap {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatalf("Alertmanager's URL: %v", err)
	}
	p := &tap{t: t}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) {
		w.Header()["Date"] = nil // Nobody knows what time it is there.
		w.WriteHeader(http.StatusBadGateway)
	}
	proxy.ModifyResponse = p.shiftDate
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(proxy, w, r) }))
	t.Cleanup(p.server.Close)
	return p
}

func (p *tap) url() string { return p.server.URL }

// setOffset makes Alertmanager's clock look as if it were ahead by so much.
func (p *tap) setOffset(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offset = d
}

func (p *tap) currentOffset() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offset
}

func (p *tap) shiftDate(r *http.Response) error {
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		r.Header.Set("Date", date.Add(p.currentOffset()).UTC().Format(http.TimeFormat))
	}
	return nil
}

func (p *tap) serve(proxy http.Handler, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		proxy.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The sender has gone.
	}
	var alerts []testserver.Alert
	if err := json.Unmarshal(body, &alerts); err != nil {
		p.t.Logf("a post that is none: %v", err)
	}
	offset := p.currentOffset()
	for i := range alerts {
		alerts[i].StartsAt, alerts[i].EndsAt = alerts[i].StartsAt.Add(-offset), alerts[i].EndsAt.Add(-offset)
	}
	shifted, err := json.Marshal(alerts)
	if err != nil {
		p.t.Logf("encoding a post: %v", err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(shifted)), int64(len(shifted))
	answer := &statusWriter{ResponseWriter: w}
	proxy.ServeHTTP(answer, r)
	if answer.status == http.StatusOK {
		p.note(alerts, time.Now())
	}
}

func (p *tap) note(alerts []testserver.Alert, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range alerts {
		if a.Labels["alertname"] == "ServiceGroupMemberDown" {
			p.taken = append(p.taken, taken{now, a.Labels["member"], a.EndsAt.After(now)})
		}
	}
}

// first gives when Alertmanager was first told, after a moment, that a member is down; zero: it was not.
func (p *tap) first(member string, after time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.taken {
		if t.member == member && t.firing && t.time.After(after) {
			return t.time
		}
	}
	return time.Time{}
}

// A statusWriter knows how it was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

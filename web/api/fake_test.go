package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// patience bounds waits that should not take long, on a busy machine.
const patience = time.Minute

// A fakeDriver has the members that a test sets.
type fakeDriver struct {
	mu   sync.Mutex
	poll *drivers.Poll
	err  error
}

func (d *fakeDriver) Members(context.Context) (*drivers.Poll, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return nil, d.err
	}
	poll := drivers.Poll{}
	if d.poll != nil {
		poll = *d.poll
	}
	poll.Now, poll.DownTime, poll.Backend = time.Now(), time.Minute, "fake 1"
	return &poll, nil
}

func (d *fakeDriver) Close() error { return nil }

func (d *fakeDriver) has(members ...drivers.Member) {
	d.answer(&drivers.Poll{Members: members})
}

func (d *fakeDriver) answer(poll *drivers.Poll) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.poll, d.err = poll, nil
}

func (d *fakeDriver) fail() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = drivers.Unavailable(drivers.ReasonConnect, errors.New("connection refused"))
}

// up and down return members of a backend that has the roster.
func up(group, name string) drivers.Member {
	return drivers.Member{Group: group, Name: name, Up: true, Rostered: true}
}

func down(group, name string) drivers.Member {
	return drivers.Member{Group: group, Name: name, Rostered: true}
}

// A bench is an API with a real collector and fake backends.
type bench struct {
	t         testing.TB
	sources   map[string]*fakeDriver
	collector *collector.Collector
	history   *History
	alerts    fakeAlerts
	api       *api
	handler   http.Handler
	stop      context.CancelFunc // what a server that stops does
}

func newBench(t testing.TB, sources ...string) *bench {
	t.Helper()
	c, err := collector.New(collector.Options{})
	require.NoError(t, err)
	b := &bench{t: t, sources: make(map[string]*fakeDriver), collector: c, history: NewHistory(c)}
	b.configure(sources...)
	log := slog.New(slog.DiscardHandler)
	b.api = newAPI(Options{Logger: log, Collector: c, History: b.history, Alerts: &b.alerts})
	b.handler = b.api.mux()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	b.stop = cancel
	var running sync.WaitGroup
	running.Go(func() { _ = b.history.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		require.NoError(t, c.Close())
	})
	return b
}

// configure sets the sources. Existing ones are kept.
func (b *bench) configure(sources ...string) {
	var configs []collector.SourceConfig
	for _, name := range sources { // Only the source "suspicious" suspects its members.
		if b.sources[name] == nil {
			b.sources[name] = &fakeDriver{}
		}
		configs = append(configs, collector.SourceConfig{
			Name: name, Driver: "fake", Open: func() (drivers.Driver, error) { return b.sources[name], nil },
			Suspicion: tracker.Suspicion{Enabled: name == "suspicious", Margin: 10 * time.Second},
		})
	}
	require.NoError(b.t, b.collector.Apply(configs))
}

// poll polls all sources. In a synctest bubble, it waits until the history has the events.
func (b *bench) poll() { b.collector.Poll(b.t.Context()) }

// inTime runs a test in the fake time of synctest, which begins in the year 2000.
func inTime(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }

// pollIn lets time pass, polls, and waits until all subscribers have the events.
func (b *bench) pollIn(d time.Duration) {
	time.Sleep(d)
	b.poll()
	synctest.Wait()
}

// get requests a path, validates the answer against the specification, and returns its status and body.
func (b *bench) get(path string) (int, string) {
	b.t.Helper()
	w := b.do(http.MethodGet, path, nil)
	return w.Code, w.Body.String()
}

func (b *bench) do(method, path string, header http.Header) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, nil)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	if method == http.MethodGet {
		validate(b.t, r, w)
	}
	return w
}

// ok requests a path and requires status 200.
func (b *bench) ok(path string) string {
	b.t.Helper()
	status, body := b.get(path)
	require.Equal(b.t, http.StatusOK, status, body)
	return body
}

func decode(t testing.TB, text string, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), into), text)
}

// read reads a body to its end.
func read(t testing.TB, r io.Reader) string {
	t.Helper()
	body, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(body)
}

type membersAnswer struct {
	Total   int      `json:"total"`
	Members []member `json:"members"`
}

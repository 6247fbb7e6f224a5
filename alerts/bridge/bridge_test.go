package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// patience is the time limit for a condition on a busy machine.
const patience = time.Minute

// A fakeCollector is a collector with the snapshots that a test sets.
type fakeCollector struct {
	mu        sync.Mutex
	snapshots []collector.Snapshot
	events    chan collector.Event
}

func (f *fakeCollector) Snapshots() []collector.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshots
}

func (f *fakeCollector) Subscribe(buffer int) (<-chan collector.Event, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = make(chan collector.Event, buffer)
	return f.events, func() {}
}

func (*fakeCollector) HostsChanged() <-chan struct{} { return nil }

// set replaces the snapshots, and sends a death event for each member that was up and is down. Like the collector, it drops
// the oldest events when too many wait.
func (f *fakeCollector) set(snapshots ...collector.Snapshot) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	before := map[alerts.ID]*collector.MemberState{}
	for _, s := range f.snapshots {
		for i := range s.Members {
			before[alerts.ID{Source: s.Source, Group: s.Members[i].Group, Member: s.Members[i].Name}] = &s.Members[i]
		}
	}
	f.snapshots = snapshots
	for _, s := range snapshots {
		for i := range s.Members {
			m := &s.Members[i]
			switch was := before[alerts.ID{Source: s.Source, Group: m.Group, Member: m.Name}]; {
			case was == nil:
			case was.State == m.State, m.State == collector.Unknown:
				m.Since = was.Since
			default:
				m.Since = now
				if m.State == collector.Down {
					f.push(collector.Event{Time: now, Type: collector.EventDeath, Source: s.Source, Member: m.Member})
				}
			}
		}
	}
}

// end closes the stream of events.
func (f *fakeCollector) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.events)
	f.events = nil
}

func (f *fakeCollector) push(e collector.Event) {
	for f.events != nil {
		select {
		case f.events <- e:
			return
		default:
		}
		select {
		case <-f.events:
		default:
		}
	}
}

// A testBridge is a bridge with a fake collector, its own registry and its own log.
type testBridge struct {
	*Bridge
	t        *testing.T
	fake     *fakeCollector
	registry *prometheus.Registry
	log      *testserver.Log
}

// newTestBridge returns a bridge that saves its state in a folder; empty: it saves none.
func newTestBridge(t *testing.T, folder string) *testBridge {
	t.Helper()
	r := &testBridge{t: t, fake: &fakeCollector{}, registry: prometheus.NewPedanticRegistry(), log: &testserver.Log{}}
	var err error
	r.Bridge, err = New(Options{
		Logger: slog.New(slog.NewTextHandler(r.log, nil)), Registerer: r.registry, Collector: r.fake, StoragePath: folder,
	})
	require.NoError(t, err)
	return r
}

// configure makes the bridge post to the Alertmanagers at some URLs; change may change other settings.
func (r *testBridge) configure(change func(*config.Alerting), urls ...string) {
	r.t.Helper()
	c := config.DefaultAlerting()
	for _, text := range urls {
		c.Alertmanagers = append(c.Alertmanagers, configOf(r.t, text))
	}
	if change != nil {
		change(&c)
	}
	require.NoError(r.t, c.Validate())
	setup, err := r.Prepare(&c)
	require.NoError(r.t, err)
	r.Use(setup)
}

// configOf returns the configuration of an Alertmanager at a URL.
func configOf(t *testing.T, text string) config.Alertmanager {
	t.Helper()
	c := config.DefaultAlertmanager()
	u, err := url.Parse(text)
	require.NoError(t, err)
	c.URL.URL = u
	return c
}

// run runs the bridge until stop is called, which waits for its end.
func (r *testBridge) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(r.t, <-done)
	})
	r.t.Cleanup(stop)
	return stop
}

// value returns the sum of the series of a metric whose labels contain a text; a histogram counts with its count.
func (r *testBridge) value(name, labels string) (sum float64) {
	r.t.Helper()
	families, err := r.registry.Gather()
	require.NoError(r.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "servicegroup_"+name && strings.Contains(fmt.Sprint(m.GetLabel()), labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// series returns the number of series of all metrics.
func (r *testBridge) series() int {
	r.t.Helper()
	n, err := testutil.GatherAndCount(r.registry)
	require.NoError(r.t, err)
	return n
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	testserver.Eventually(t, condition, patience, 5*time.Millisecond, "%s", what)
}

// A receiver is an Alertmanager without a network, for tests with fake time.
type receiver struct {
	mu     sync.Mutex
	down   bool
	frozen string // a host that does not answer
	posts  [][]testserver.Alert
	hosts  []string    // of the posts
	at     []time.Time // when posts were received
	ended  int         // number of posted alerts that had ended
	stored map[string]testserver.StoredAlert
}

func (f *receiver) RoundTrip(q *http.Request) (*http.Response, error) {
	f.mu.Lock()
	frozen := f.frozen
	f.mu.Unlock()
	if q.URL.Host == frozen {
		<-q.Context().Done()
		return nil, q.Context().Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, errors.New("connection refused")
	}
	body := `{"versionInfo":{},"uptime":"2026-11-25T03:00:00Z"}`
	if q.Method == http.MethodPost {
		var post []testserver.Alert
		if err := json.NewDecoder(q.Body).Decode(&post); err != nil {
			return nil, err
		}
		for _, a := range post {
			f.store(a)
			if !a.EndsAt.After(time.Now()) {
				f.ended++
			}
		}
		f.posts, f.hosts, f.at = append(f.posts, post), append(f.hosts, q.URL.Host), append(f.at, time.Now())
	} else if q.URL.Path == "/api/v2/alerts" {
		body = "[]"
		if strings.Contains(q.URL.RawQuery, "alertname%3D%22") {
			body = f.list()
		}
	}
	header := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// store keeps an alert as Alertmanager does.
func (f *receiver) store(a testserver.Alert) {
	if f.stored == nil {
		f.stored = map[string]testserver.StoredAlert{}
	}
	f.stored[fmt.Sprint(a.Labels)] = testserver.StoredAlert{Alert: a, UpdatedAt: time.Now()}
}

// list returns the alerts that it has and that fire, in JSON.
func (f *receiver) list() string {
	all := []testserver.StoredAlert{}
	for _, a := range f.stored {
		if a.EndsAt.After(time.Now()) {
			all = append(all, a)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// set changes the receiver under its lock.
func (f *receiver) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// received returns the alerts that were posted since the last call, in order.
func (f *receiver) received() (all []testserver.Alert) {
	for _, post := range f.batches() {
		all = append(all, post...)
	}
	return all
}

// batches returns the posts since the last call.
func (f *receiver) batches() (posts [][]testserver.Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	posts = f.posts
	f.posts, f.hosts, f.at = nil, nil, nil
	return posts
}

// about returns alerts in the form of brief.
func about(list []testserver.Alert) []string {
	var ids []alerts.ID
	for _, a := range list {
		ids = append(ids, alerts.ID{
			Alert: a.Labels["alertname"], Source: a.Labels["source"], Group: a.Labels["group"], Member: a.Labels["member"],
			Host: a.Labels["host"],
		})
	}
	return brief(ids...)
}

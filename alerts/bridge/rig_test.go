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

// patience is how long a condition may take on a busy machine.
const patience = 30 * time.Second

// A watched is a collector that knows what a test says.
type watched struct {
	mu        sync.Mutex
	snapshots []collector.Snapshot
	events    chan collector.Event
}

func (w *watched) Snapshots() []collector.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshots
}

func (w *watched) Subscribe(buffer int) (<-chan collector.Event, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = make(chan collector.Event, buffer)
	return w.events, func() {}
}

// see makes a poll find what is given, and tells of the members that are down in it and were up before. Like the
// collector, it loses the oldest events when too many wait.
func (w *watched) see(snapshots ...collector.Snapshot) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	before := map[subject]*collector.MemberState{}
	for _, s := range w.snapshots {
		for i := range s.Members {
			before[subject{s.Source, s.Members[i].Group, s.Members[i].Name}] = &s.Members[i]
		}
	}
	w.snapshots = snapshots
	for _, s := range snapshots {
		for i := range s.Members {
			m := &s.Members[i]
			switch was := before[subject{s.Source, m.Group, m.Name}]; {
			case was == nil:
			case was.State == m.State:
				m.Since = was.Since
			default:
				m.Since = now
				if m.State == collector.Down {
					w.push(collector.Event{Time: now, Type: collector.EventDeath, Source: s.Source, Member: m.Member})
				}
			}
		}
	}
}

// end ends the collector.
func (w *watched) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.events)
	w.events = nil
}

func (w *watched) push(e collector.Event) {
	for w.events != nil {
		select {
		case w.events <- e:
			return
		default:
		}
		select {
		case <-w.events:
		default:
		}
	}
}

// A rig is a bridge of a collector that knows what a test says.
type rig struct {
	*Bridge
	t        *testing.T
	watched  *watched
	registry *prometheus.Registry
	log      *testserver.Log
}

// newRig makes a bridge that keeps its memory in a folder; empty: nowhere.
func newRig(t *testing.T, folder string) *rig {
	t.Helper()
	r := &rig{t: t, watched: &watched{}, registry: prometheus.NewPedanticRegistry(), log: &testserver.Log{}}
	var err error
	r.Bridge, err = New(Options{
		Logger: slog.New(slog.NewTextHandler(r.log, nil)), Registerer: r.registry, Collector: r.watched, StoragePath: folder,
	})
	require.NoError(t, err)
	return r
}

// configure makes the bridge post to Alertmanagers at URLs; change may change more.
func (r *rig) configure(change func(*config.Alerting), urls ...string) {
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

// configOf gives the configuration of an Alertmanager at a URL.
func configOf(t *testing.T, text string) config.Alertmanager {
	t.Helper()
	c := config.DefaultAlertmanager()
	u, err := url.Parse(text)
	require.NoError(t, err)
	c.URL.URL = u
	return c
}

// run runs the bridge until the returned function is called, which waits for its end.
func (r *rig) run() (stop func()) {
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

// value sums the series of a metric, histograms by their counts, of those whose labels contain a text.
func (r *rig) value(name, labels string) (sum float64) {
	r.t.Helper()
	families, err := r.registry.Gather()
	require.NoError(r.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "servicegroup_alerts_"+name && strings.Contains(fmt.Sprint(m.GetLabel()), labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// series counts the series of all metrics.
func (r *rig) series() int {
	r.t.Helper()
	n, err := testutil.GatherAndCount(r.registry)
	require.NoError(r.t, err)
	return n
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 5*time.Millisecond, what)
}

// A receiver takes posts as an Alertmanager does, without a network, for tests in fake time.
type receiver struct {
	mu     sync.Mutex
	down   bool
	frozen string // the host that does not answer
	posts  [][]testserver.Alert
	hosts  []string    // to which they were
	at     []time.Time // and when
	ended  int         // how many posted alerts were over
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
			if !a.EndsAt.After(time.Now()) {
				f.ended++
			}
		}
		f.posts, f.hosts, f.at = append(f.posts, post), append(f.hosts, q.URL.Host), append(f.at, time.Now())
	} else if q.URL.Path == "/api/v2/alerts" {
		body = "[]"
	}
	header := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// set changes the receiver.
func (f *receiver) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// taken gives every alert that was posted since the last time, in order.
func (f *receiver) taken() (all []testserver.Alert) {
	for _, post := range f.batches() {
		all = append(all, post...)
	}
	return all
}

// batches gives the posts since the last time.
func (f *receiver) batches() (posts [][]testserver.Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	posts = f.posts
	f.posts, f.hosts, f.at = nil, nil, nil
	return posts
}

// about writes what alerts are about, as brief does.
func about(list []testserver.Alert) []string {
	var ids []alerts.ID
	for _, a := range list {
		ids = append(ids, alerts.ID{
			Alert: a.Labels["alertname"], Source: a.Labels["source"], Group: a.Labels["group"], Member: a.Labels["member"],
		})
	}
	return brief(ids...)
}

package bridge

import (
	"bytes"
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
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector"
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
	log      *syncBuffer
}

// newRig makes a bridge that keeps its memory in a folder; empty: nowhere.
func newRig(t *testing.T, folder string) *rig {
	t.Helper()
	r := &rig{t: t, watched: &watched{}, registry: prometheus.NewPedanticRegistry(), log: &syncBuffer{}}
	var err error
	r.Bridge, err = New(Options{
		Logger: slog.New(slog.NewTextHandler(r.log, nil)), Registerer: r.registry, Collector: r.watched, StoragePath: folder,
	})
	require.NoError(t, err)
	return r
}

// configure makes the bridge post to Alertmanagers at URLs; change may change more.
func (r *rig) configure(change func(*alerts.Config), urls ...string) {
	r.t.Helper()
	c := alerts.DefaultConfig()
	for _, text := range urls {
		am := alertmanager.DefaultConfig()
		u, err := url.Parse(text)
		require.NoError(r.t, err)
		am.URL.URL = u
		c.Alertmanagers = append(c.Alertmanagers, am)
	}
	if change != nil {
		change(&c)
	}
	require.NoError(r.t, c.Validate())
	setup, err := r.Prepare(&c)
	require.NoError(r.t, err)
	r.Use(setup)
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
	mu    sync.Mutex
	down  bool
	posts [][]testserver.Alert
	// asked are the other requests.
	asked []string
}

func (f *receiver) RoundTrip(q *http.Request) (*http.Response, error) {
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
		f.posts = append(f.posts, post)
	} else {
		f.asked = append(f.asked, q.Method+" "+q.URL.Path)
	}
	header := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (f *receiver) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// taken gives every alert that was posted since the last time, in order.
func (f *receiver) taken() (all []testserver.Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, post := range f.posts {
		all = append(all, post...)
	}
	f.posts = nil
	return all
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

// A syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
)

// am is the URL of the fake.
const am = "http://am:9093"

// A fake is an Alertmanager without a network, for tests with fake time.
type fake struct {
	mu       sync.Mutex
	offset   time.Duration // its clock minus this machine's
	delay    time.Duration // before it answers
	refuses  func(Alert) bool
	answers  func(*http.Request) *http.Response // answers in its place, if set
	down     bool
	requests []string    // methods and paths
	at       []time.Time // when requests were received
	posts    [][]Alert
	active   []Alert // what it returns
	started  string  // the start that its status names
	query    string  // of the last request for all alerts of a source

	stored   map[string]Alert // what it has accepted, by key
	asked    int              // requests for one alert
	forgets  bool             // it answers such requests like another Alertmanager
	ownDate  bool             // a proxy writes the Date header by this machine's clock, plus dateOff
	dateOff  time.Duration
	badDates []string // Date headers in place of others, in turn
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	delay := f.delay
	f.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodGet && strings.Contains(r.URL.RawQuery, "alertname%3D%22") && !f.down && f.answers == nil {
		return f.one(r)
	}
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	f.at = append(f.at, time.Now())
	if f.down {
		return nil, errors.New("connection refused")
	}
	if f.answers != nil {
		return f.answers(r), nil
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/api/v2/status":
		return f.answer(http.StatusOK, `{"versionInfo":{"version":"0.25.0"},"uptime":"`+f.started+`"}`), nil
	case r.Method == http.MethodGet:
		f.note(r)
		text, err := json.Marshal(append([]Alert{}, f.active...))
		return f.answer(http.StatusOK, string(text)), err
	}
	var alerts []Alert
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		return nil, err
	}
	var accepted []Alert
	for _, a := range alerts {
		if f.refuses == nil || !f.refuses(a) {
			accepted = append(accepted, a)
			f.store(a)
		}
	}
	f.posts = append(f.posts, accepted)
	if len(accepted) < len(alerts) {
		return f.answer(http.StatusBadRequest, `"bad label"`), nil
	}
	return f.answer(http.StatusOK, ""), nil
}

// note keeps the query of a request, without the part that differs each time.
func (f *fake) note(r *http.Request) {
	query := r.URL.Query()
	query.Del("nocache")
	f.query = query.Encode()
}

// store keeps an alert as Alertmanager does.
func (f *fake) store(a Alert) {
	if f.stored == nil {
		f.stored = map[string]Alert{}
	}
	a.Received = f.now().Truncate(time.Millisecond)
	if a.Start.IsZero() {
		a.Start = f.now()
	}
	if a.End.IsZero() {
		a.End = f.now().Add(5 * time.Minute)
	}
	f.stored[a.Key()] = a
}

// one answers a request for one alert: with all alerts that its filters match, of which the client finds its own.
func (f *fake) one(r *http.Request) (*http.Response, error) {
	f.asked++
	f.note(r)
	all := slices.Clone(f.active)
	for _, a := range f.stored {
		if a.End.After(f.now()) && !f.forgets {
			all = append(all, a)
		}
	}
	all = slices.DeleteFunc(all, func(a Alert) bool { return !matches(a.Labels, r.URL.Query()["filter"]) })
	text, err := json.Marshal(append([]Alert{}, all...))
	return f.answer(http.StatusOK, string(text)), err
}

// matches reports whether labels match all filters, each of which is a name and a value.
func matches(labels map[string]string, filters []string) bool {
	for _, filter := range filters {
		name, value, _ := strings.Cut(filter, "=")
		if quote(labels[name]) != value {
			return false
		}
	}
	return true
}

// now is the time by its clock.
func (f *fake) now() time.Time { return time.Now().Add(f.offset).Round(0).UTC() }

func (f *fake) answer(code int, body string) *http.Response {
	date := f.now()
	if f.ownDate {
		date = time.Now().Add(f.dateOff).UTC()
	}
	header := http.Header{"Date": {date.Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	if len(f.badDates) > 0 {
		header.Set("Date", f.badDates[0])
		f.badDates = append(f.badDates[1:], f.badDates[0])
	}
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), Header: header,
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// set changes the fake under its lock.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// count returns the number of requests.
func (f *fake) count(request string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if r == request {
			n++
		}
	}
	return n
}

// times returns when requests were received.
func (f *fake) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.at)
}

// accepted returns all accepted alerts, in order.
func (f *fake) accepted() (all []Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, post := range f.posts {
		all = append(all, post...)
	}
	return all
}

// firing returns the members of the alerts that fire by its clock, sorted.
func (f *fake) firing() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.stored {
		if a.End.After(f.now()) {
			names = append(names, a.Labels["member"])
		}
	}
	slices.Sort(names)
	return names
}

const (
	post   = "POST /api/v2/alerts"
	status = "GET /api/v2/status"
)

// A testClient is a client with its own registry and log.
type testClient struct {
	*Client
	t        *testing.T
	registry *prometheus.Registry
	log      *testserver.Log
}

// newTestClient returns a client; change may change its options.
func newTestClient(t *testing.T, transport http.RoundTripper, change func(*Options)) *testClient {
	t.Helper()
	r := &testClient{t: t, registry: prometheus.NewPedanticRegistry(), log: &testserver.Log{}}
	metrics, err := NewMetrics(r.registry)
	require.NoError(t, err)
	o := Options{
		Config: configOf(t, am), Validity: 30 * time.Second, Metrics: metrics, Transport: transport,
		Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	r.Client, err = New(o)
	require.NoError(t, err)
	return r
}

// run runs the client until stop is called, which waits for its end.
func (r *testClient) run() (stop func()) {
	r.t.Helper()
	return running(r.t, r.Client)
}

// value returns the value of a series of the client; label is the name and the value of a second label.
func (r *testClient) value(name string, label ...string) float64 {
	r.t.Helper()
	want := fmt.Sprintf(`alertmanager="%s"`, r.name)
	if len(label) > 0 {
		want += fmt.Sprintf(`,%s="%s"`, label[0], label[1])
	}
	text, err := testutil.GatherAndFormat(r.registry, expfmt.TypeTextPlain, family("servicegroup_"+name))
	require.NoError(r.t, err)
	for line := range strings.Lines(string(text)) {
		var value float64
		if rest, ok := strings.CutPrefix(line, "servicegroup_"+name+"{"+want+"} "); ok {
			_, err := fmt.Sscan(rest, &value)
			require.NoError(r.t, err)
			return value
		}
	}
	require.Fail(r.t, "no such series", "%s{%s} in:\n%s", name, want, text)
	return 0
}

// family returns the metric that a series belongs to.
func family(series string) string {
	return strings.TrimSuffix(strings.TrimSuffix(series, "_count"), "_sum")
}

// configOf returns the default configuration for an Alertmanager at a URL.
func configOf(t *testing.T, text string) config.Alertmanager {
	t.Helper()
	c := config.DefaultAlertmanager()
	u, err := url.Parse(text)
	require.NoError(t, err)
	c.URL.URL = u
	return c
}

// running runs a client until stop is called, which waits for its end.
func running(t *testing.T, c *Client) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

// alertOf returns an alert about a member that starts now.
func alertOf(member string) *Alert {
	return &Alert{
		Labels: map[string]string{
			"alertname": "ServiceGroupMemberDown", "source": "nova", "group": "compute", "member": member, "severity": "warning",
		},
		Annotations: map[string]string{"summary": member + " is down"},
		Start:       time.Now(),
	}
}

// many returns n alerts.
func many(n int) []*Alert {
	alerts := make([]*Alert, n)
	for i := range alerts {
		alerts[i] = alertOf(fmt.Sprintf("m%05d", i))
	}
	return alerts
}

// resolved returns the version of an alert that ends it.
func resolved(a *Alert, end time.Time) *Alert {
	b := *a
	b.End = end
	return &b
}

func members(alerts []Alert) (names []string) {
	for _, a := range alerts {
		names = append(names, a.Labels["member"])
	}
	return names
}

package collector

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/internal/testrows"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

const (
	ms   = time.Millisecond
	sec  = time.Second
	mins = time.Minute
	hour = time.Hour
)

// t0 is when fake time begins.
var t0 = testrows.Start()

func rows(words string) []drivers.Member { return testrows.Parse(words) }

func row(word string) drivers.Member { return testrows.Parse(word)[0] }

// A fakeDriver answers as a test sets it.
type fakeDriver struct {
	mu     sync.Mutex
	answer func(ctx context.Context) (*drivers.Poll, error)
	calls  int
	active int
	most   int // calls at the same time
	closed int
	counts drivers.Counts

	closeErr error
}

// answering returns a driver that returns the rows at once, with this machine's clock as the backend's.
func answering(words string) *fakeDriver {
	d := &fakeDriver{}
	d.say(words)
	return d
}

func (d *fakeDriver) say(words string) {
	d.do(func(context.Context) (*drivers.Poll, error) {
		return &drivers.Poll{Members: rows(words), Now: time.Now(), DownTime: time.Minute, Backend: "fake 1"}, nil
	})
}

func (d *fakeDriver) fail(reason drivers.Reason) {
	d.do(func(context.Context) (*drivers.Poll, error) {
		return nil, drivers.Unavailable(reason, errors.New("it is broken"))
	})
}

// hang makes the driver wait for its context as it should.
func (d *fakeDriver) hang() {
	d.do(func(ctx context.Context) (*drivers.Poll, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
}

// delay makes the driver answer after a time, and ignore its context.
func (d *fakeDriver) delay(by time.Duration, words string) {
	d.do(func(context.Context) (*drivers.Poll, error) {
		time.Sleep(by)
		return &drivers.Poll{Members: rows(words), Now: time.Now(), DownTime: time.Minute}, nil
	})
}

// ignore makes the driver ignore its context until the channel is closed. It then returns the rows.
func (d *fakeDriver) ignore(until <-chan struct{}, words string) {
	d.do(func(context.Context) (*drivers.Poll, error) {
		<-until
		return &drivers.Poll{Members: rows(words), DownTime: time.Minute}, nil
	})
}

func (d *fakeDriver) do(answer func(ctx context.Context) (*drivers.Poll, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func (d *fakeDriver) Members(ctx context.Context) (*drivers.Poll, error) {
	d.mu.Lock()
	d.calls++
	d.active++
	d.most = max(d.most, d.active)
	d.counts.Operations++
	answer := d.answer
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.active--
		d.mu.Unlock()
	}()
	return answer(ctx)
}

func (d *fakeDriver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed++
	return d.closeErr
}

func (d *fakeDriver) Counts() drivers.Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

func (d *fakeDriver) called() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

func (d *fakeDriver) timesClosed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// A fakeWatcher is a fakeDriver whose backend reports changes.
type fakeWatcher struct {
	*fakeDriver
	changed chan struct{}
}

func watching(words string) *fakeWatcher {
	return &fakeWatcher{answering(words), make(chan struct{}, 1)}
}

func (d *fakeWatcher) Changed() <-chan struct{} { return d.changed }

func (d *fakeWatcher) signal() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// A bench is a collector under test with what it registered and logged.
type bench struct {
	*Collector
	t      testing.TB
	reg    *prometheus.Registry
	log    *testserver.Log
	events <-chan Event
}

// inTime runs a test of a collector in fake time, and stops the collector after it.
func inTime(t *testing.T, opts Options, test func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, opts)
		test(t, b)
		require.NoError(t, b.Close())
	})
}

func newBench(t testing.TB, opts Options) *bench {
	t.Helper()
	b := &bench{t: t, reg: prometheus.NewPedanticRegistry(), log: &testserver.Log{}}
	opts.Registerer = b.reg
	opts.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	c, err := New(opts)
	require.NoError(t, err)
	require.NoError(t, b.reg.Register(everything{c}))
	b.Collector = c
	b.events, _ = c.Subscribe(1000)
	return b
}

// everything emits the members' series too, so that client_golang checks them.
type everything struct{ *Collector }

func (e everything) Describe(ch chan<- *prometheus.Desc) {
	e.Collector.Describe(ch)
	for _, family := range e.Families() {
		ch <- familyDesc(&family)
	}
}

func (e everything) Collect(ch chan<- prometheus.Metric) {
	e.Collector.Collect(ch)
	for _, family := range e.Families() {
		if dto := family.DTO(); dto != nil {
			desc := familyDesc(&family)
			for _, m := range dto.Metric {
				ch <- dtoMetric{m, desc}
			}
		}
	}
}

func familyDesc(f *exposition.Family) *prometheus.Desc {
	return prometheus.NewDesc(f.Name, f.Help, f.LabelNames, nil)
}

type dtoMetric struct {
	dto  *dto.Metric
	desc *prometheus.Desc
}

func (m dtoMetric) Desc() *prometheus.Desc { return m.desc }

func (m dtoMetric) Write(out *dto.Metric) error {
	out.Label, out.Gauge, out.Counter = m.dto.Label, m.dto.Gauge, m.dto.Counter
	return nil
}

// apply makes the drivers the sources a, b and so on.
func (b *bench) apply(list ...drivers.Driver) {
	b.t.Helper()
	var configs []SourceConfig
	for i, d := range list {
		configs = append(configs, config(string(rune('a'+i)), d))
	}
	require.NoError(b.t, b.Apply(configs))
}

func config(name string, d drivers.Driver) SourceConfig {
	return SourceConfig{Name: name, Driver: "fake", Open: func() (drivers.Driver, error) { return d, nil }}
}

// scrape polls with a deadline and returns how long it took.
func (b *bench) scrape(timeout time.Duration) time.Duration {
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	b.Poll(ctx)
	return time.Since(start)
}

// only returns the snapshot of the one source.
func (b *bench) only() Snapshot {
	b.t.Helper()
	all := b.Snapshots()
	require.Len(b.t, all, 1)
	return all[0]
}

// series returns what a scrape shows of the members of the one source.
func (b *bench) series() []*memberSeries {
	return (*b.sources.Load())[0].shown.Load().members
}

// happened returns the types of the events so far.
func (b *bench) happened() []EventType {
	var types []EventType
	for {
		select {
		case e := <-b.events:
			types = append(types, e.Type)
		default:
			return types
		}
	}
}

// text returns the exposition of everything.
func (b *bench) text() string {
	b.t.Helper()
	text, err := b.exposition()
	require.NoError(b.t, err)
	return text
}

// exposition is text for goroutines, which must not end the test.
func (b *bench) exposition() (string, error) {
	families, err := b.reg.Gather()
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// background runs the collector until the returned function is called.
func (b *bench) background() (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- b.Run(ctx) }()
	return func() error {
		cancel()
		return <-result
	}
}

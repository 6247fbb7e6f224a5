// Package collector turns polls of service groups into knowledge: who is up, who died and when, how long it took to
// notice, and the metrics that say so.
//
// Each source is polled by scrapes, by a timer and by its backend's watch, all through the same shared poll. What a
// poll found goes through the source's tracker, the only place that decides who died or recovered, and comes out as a
// [Snapshot], as [Event]s, and as metrics that are rendered once and handed out until they change.
package collector

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a [Collector] needs from the process around it.
type Options struct {
	// Logger gets what operators should know; nil: nothing is logged.
	Logger *slog.Logger
	// Registerer is where histograms, counters and the collector's own metrics are registered; nil: nowhere. The
	// collector itself is a prometheus.Collector too, and is registered by whoever serves it.
	Registerer prometheus.Registerer
	// StoragePath is the folder that keeps the memory of members over restarts. Empty: no memory is kept.
	StoragePath string
	// ReadOnly makes the collector read the memory but never write it, for commands beside a running server.
	ReadOnly bool
	// CompatOpenStackExporter adds the series that openstack-exporter has of members, for sources that name their
	// [SourceConfig.Service].
	CompatOpenStackExporter bool
}

// A Collector polls sources and knows their members. Its methods may be called concurrently.
type Collector struct {
	env     *environment
	sources atomic.Pointer[[]*source] // sorted by name; replaced, never changed

	mu      sync.Mutex // held by whoever changes the fields below or the sources
	launch  func(*source)
	ran     bool
	closed  bool
	loops   sync.WaitGroup // of sources that poll by themselves
	retired sync.WaitGroup // of sources that are being released
}

// New makes a collector without sources. It fails when a metric can't be registered or the storage folder can't be
// made.
func New(opts Options) (*Collector, error) {
	return newCollector(opts, newClock())
}

func newCollector(opts Options, now clock) (*Collector, error) {
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("component", "collector")
	states, err := newStateFiles(opts.StoragePath, opts.ReadOnly, log)
	if err != nil {
		return nil, err
	}
	metrics, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	c := &Collector{env: &environment{
		log: log, clock: now, descs: newDescs(opts.CompatOpenStackExporter), metrics: metrics,
		events: newBroadcast(metrics.eventsDropped), states: states,
	}}
	c.sources.Store(&[]*source{})
	return c, nil
}

// Poll polls every source concurrently. It returns when all have answered or ctx has ended; a source that has not
// answered by the deadline of ctx is unknown until it does.
func (c *Collector) Poll(ctx context.Context) {
	var polls sync.WaitGroup
	for _, s := range *c.sources.Load() {
		polls.Go(func() { s.poll(ctx) })
	}
	polls.Wait()
}

// Snapshots gives what is known of every source, sorted by name. Nothing in it changes afterwards.
func (c *Collector) Snapshots() []Snapshot {
	sources := *c.sources.Load()
	snapshots := make([]Snapshot, len(sources))
	for i, s := range sources {
		snapshots[i] = s.snapshot()
	}
	return snapshots
}

// Subscribe gives all events from now on. The channel holds at most buffer events (at least one); a subscriber that is
// slower loses the oldest, and servicegroup_events_dropped_total tells. The function ends the subscription; it, or the
// end of the collector, closes the channel.
func (c *Collector) Subscribe(buffer int) (<-chan Event, func()) {
	return c.env.events.subscribe(buffer)
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range c.env.descs.all {
		ch <- desc
	}
}

// Collect implements prometheus.Collector. It never waits for a backend: it hands out what the last polls found of sources
// and groups. The series of members, which it describes too, are in [Collector.Families].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range *c.sources.Load() {
		for _, sample := range s.shownSamples() {
			ch <- sample
		}
	}
}

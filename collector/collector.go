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
}

// A Collector polls sources and knows their members. Its methods may be called concurrently.
type Collector struct{}

// New makes a collector without sources. It fails when a metric can't be registered or the storage folder can't be
// used.
func New(opts Options) (*Collector, error) { return &Collector{}, nil }

// Apply makes the collector have exactly these sources. It opens every new driver first; on an error nothing has
// changed. Sources of equal name and fingerprint go on untouched, changed ones of the same name keep their members'
// history, and removed ones end together with their series.
func (c *Collector) Apply(configs []SourceConfig) error { return nil }

// Run polls by timers and watches and saves the memory until ctx ends. It then waits for its goroutines and closes the
// collector. It is called at most once.
func (c *Collector) Run(ctx context.Context) error { return nil }

// Close saves the memory, closes all drivers and ends all subscriptions. [Collector.Run] does so when it ends; only
// programs that never call Run need to. It may be called more than once.
func (c *Collector) Close() error { return nil }

// Poll polls every source concurrently. It returns when all have answered or ctx has ended; a source that has not
// answered by then is unknown until it does.
func (c *Collector) Poll(ctx context.Context) {}

// Snapshots gives what is known of every source, sorted by name. Nothing in it changes afterwards.
func (c *Collector) Snapshots() []Snapshot { return nil }

// Subscribe gives all events from now on. The channel holds at most buffer events (at least one); a subscriber that is
// slower loses the oldest, and servicegroup_events_dropped_total tells. The function ends the subscription; it, or the
// end of the collector, closes the channel.
func (c *Collector) Subscribe(buffer int) (<-chan Event, func()) { return nil, func() {} }

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. It never blocks on a backend: it hands out what the last polls found.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {}

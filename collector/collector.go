// Package collector polls sources and turns the polls into snapshots, events and metrics of their members.
//
// Each source is polled by scrapes, by a timer and by its backend's watch. Those that ask while a poll is in flight share that
// poll. Each poll passes through the source's tracker (package tracker), which decides which members died or recovered. The
// result is a [Snapshot], [Event]s, and series that are rendered when they change and not when they are scraped.
//
// Begin with source.join in poll.go and follow a poll to source.succeed and source.publish:
//
//   - poll.go, poll_context.go and patience.go share the poll in flight; loop.go polls without a scrape.
//   - source.go has what is known of one source, environment.go what all sources share, and awaited.go a part of that.
//   - apply.go and run.go begin and end sources, statefile.go and recent.go save what a restart must not lose.
//   - snapshot.go, hosts.go and host_verdict.go have what the pages, the API and the bridge read; broadcast.go has the events.
//   - descs.go describes the metrics, render_*.go makes their series after a poll, and families.go and view.go give them to a
//     scrape. metrics.go has the counters and histograms of events, compat.go the series of openstack-exporter.
//   - log.go, problems.go and absent.go tell operators what is wrong.
//
// Tests run in fake time, with drivers that answer as a test says (fake_test.go). golden_test.go compares all that is exposed with
// the files in testdata.
//
// # Deadlines
//
// Four parties own a deadline. Each bounds the one below it:
//
//	scrape  Prometheus' scrape timeout, minus --timeout-offset for sending the response.
//	   |    Owner: package web. It bounds how long [Collector.Poll] waits, not the poll.
//	poll    The longest deadline of all waiters, but at least 1 s; without one, [SourceConfig.PollTimeout].
//	   |    Owner: source.join. A waiter who joins can extend the poll, but not beyond PollTimeout or
//	   |    the longest time that one waiter had, counted from the poll's start. Scrapes and timers of
//	   |    the last 10 minutes count as waiters of each poll: see patience. The poll continues
//	   |    when waiters leave. A waiter whose deadline ends earlier gets what is known if that is at
//	   |    most PollTimeout old; otherwise the source is unknown to this waiter alone. Only the end
//	   |    of the poll itself is a failure of the source. All wait 20 ms longer, so that a driver can
//	   |    report a better reason than "timeout".
//	driver  The timeout of the source's configuration, for all requests of one poll.
//	   |    Owner: the driver. db also sends it to the database as a limit of the query.
//	server  With several servers (mc), a part of what is left, so that a server that hangs leaves
//	        time for the others. Owner: the driver's connection to that server.
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
	// Logger gets what operators should know; nil: the collector logs nothing.
	Logger *slog.Logger
	// Registerer is where histograms and counters are registered; nil: nowhere. The collector itself is a
	// prometheus.Collector too, which the caller registers.
	Registerer prometheus.Registerer
	// StoragePath is the folder of the state files. Empty: a restart loses what is known of members.
	StoragePath string
	// ReadOnly makes the collector read state files but never write them, for commands beside a running server.
	ReadOnly bool
	// CompatOpenStackExporter adds the series that openstack-exporter has of members, for sources with a
	// [SourceConfig.Service].
	CompatOpenStackExporter bool
}

// A Collector polls sources and keeps what is known of their members. Its methods may be called concurrently.
type Collector struct {
	env     *environment
	sources atomic.Pointer[[]*source] // sorted by name; replaced, never changed
	hosts   hostBoard

	mu        sync.Mutex // guards changes of the fields below and of the sources
	launch    func(*source)
	ran       bool
	closed    bool
	stopped   chan struct{}  // closed at the end of Close
	loops     sync.WaitGroup // of sources that poll by themselves
	retired   sync.WaitGroup // of sources that are being released
	releasing map[*source]bool
}

// New returns a collector without sources. It fails when a metric can't be registered or the storage folder can't be
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
	c := &Collector{stopped: make(chan struct{}), releasing: map[*source]bool{}, env: &environment{
		log: log, clock: now, descs: newDescs(opts.CompatOpenStackExporter), metrics: metrics,
		events: newBroadcast(metrics.eventsDropped), states: states, hostsChanged: make(chan struct{}, 1),
	}}
	c.sources.Store(&[]*source{})
	return c, nil
}

// Poll polls every source concurrently, or shares the polls in flight. It returns when all sources have answered or ctx has
// ended, with what this caller can know then. A source that has not answered by then is as it was known before, or unknown in
// this view: see Deadlines in the package comment.
func (c *Collector) Poll(ctx context.Context) *View {
	sources := *c.sources.Load()
	late := make([]*rendered, len(sources))
	var polls sync.WaitGroup
	for i, s := range sources {
		polls.Go(func() { late[i] = s.poll(ctx) })
	}
	polls.Wait()
	return newView(c, sources, late)
}

// Snapshots returns what is known of every source, sorted by name. The snapshots never change.
func (c *Collector) Snapshots() []Snapshot {
	sources := *c.sources.Load()
	snapshots := make([]Snapshot, len(sources))
	for i, s := range sources {
		snapshots[i] = s.snapshot()
	}
	return snapshots
}

// CountLostState counts that alerts of the sources were saved beside their states, and can't be loaded.
func (c *Collector) CountLostState() {
	for _, s := range *c.sources.Load() {
		c.env.metrics.loadFailures.WithLabelValues(s.cfg.Name).Inc()
	}
}

// Subscribe returns a channel of all events from now on, and a function that ends the subscription. The channel buffers
// at most buffer events (at least one). A slower subscriber loses the oldest events, which
// servicegroup_events_dropped_total counts. The end of the subscription or of the collector closes the channel.
func (c *Collector) Subscribe(buffer int) (<-chan Event, func()) {
	return c.env.events.subscribe(buffer)
}

// HostsChanged returns a channel that receives when members have become late, suspected, down or alive again, so that [Hosts] may
// differ: a member that becomes late has no event. It is for one receiver, and what it misses while it is busy comes once.
func (c *Collector) HostsChanged() <-chan struct{} { return c.env.hostsChanged }

// Describe implements prometheus.Collector. It describes what [Collector.Collect] emits: the series of sources.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range c.env.descs.all {
		ch <- desc
	}
}

// Collect implements prometheus.Collector. It never waits for a backend, but emits what the last polls found of sources. The
// series of groups and members come from [Collector.Families].
func (c *Collector) Collect(ch chan<- prometheus.Metric) { (&View{collector: c}).Collect(ch) }

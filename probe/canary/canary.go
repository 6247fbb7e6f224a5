// Package canary measures failure detection continuously. It keeps a simulated member, the canary, on the backend of a
// source. The canary dies at intervals, as a process dies by kill -9, and returns. The package measures how long this
// program's polls take to see it dead, and up again.
//
// The canary lives where no source reads, so its deaths cause no series, events or alerts. It is observed with the same
// driver, the same collector and the same poll interval as real members.
package canary

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/probe"
)

// Source is a source with a canary.
type Source struct {
	probe.Source
	Interval time.Duration
	Group    string
	// Fingerprint identifies the configuration. A canary whose fingerprint does not change keeps running.
	Fingerprint string
}

// Options are what [Canaries] need from the process.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: metrics are not registered
	// Member is the name of the canaries in their groups. It must be unique among the processes that use the same backend.
	Member string
}

// Canaries runs the canaries of all sources that have one. The methods may be called concurrently.
type Canaries struct {
	logger  *slog.Logger
	metrics *metrics
	member  string

	changed chan struct{} // receives when wanted has changed
	mu      sync.Mutex
	wanted  []Source
	running map[string]*runner // by source
}

// New returns canaries of no source. It fails if a metric can't be registered.
func New(opts Options) (*Canaries, error) {
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	return &Canaries{
		logger: opts.Logger.With("component", "canary"), metrics: m, member: opts.Member,
		changed: make(chan struct{}, 1), running: make(map[string]*runner),
	}, nil
}

// Use sets the sources that have a canary. [Canaries.Run] starts and stops the canaries.
func (c *Canaries) Use(sources []Source) {
	c.mu.Lock()
	c.wanted = sources
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Trigger starts a poll of every canary, as a scrape starts one of every source. It does not wait for the polls.
func (c *Canaries) Trigger() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.running {
		r.triggerPoll()
	}
}

// Run runs the canaries until ctx ends, and removes them.
func (c *Canaries) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			for _, r := range c.takeOut(nil) {
				r.stop()
			}
			return nil
		case <-c.changed:
			c.mu.Lock()
			wanted := c.wanted
			c.mu.Unlock()
			for _, r := range c.takeOut(wanted) {
				r.stop()
				if !r.replaced {
					c.metrics.remove(r.source.Name)
				}
			}
			c.start(ctx, wanted)
		}
	}
}

// takeOut removes the runners of sources that are not wanted, or have changed, from c.running and returns them.
func (c *Canaries) takeOut(wanted []Source) []*runner {
	c.mu.Lock()
	defer c.mu.Unlock()
	byName := make(map[string]*Source, len(wanted))
	for i := range wanted {
		byName[wanted[i].Name] = &wanted[i]
	}
	var out []*runner
	for name, r := range c.running {
		next := byName[name]
		if next != nil && next.Fingerprint == r.source.Fingerprint {
			continue
		}
		r.replaced = next != nil
		out = append(out, r)
		delete(c.running, name)
	}
	return out
}

// start starts a runner for every source that has none.
func (c *Canaries) start(ctx context.Context, wanted []Source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range wanted {
		if c.running[s.Name] == nil {
			c.metrics.add(s.Name)
			c.running[s.Name] = c.startRunner(ctx, s)
		}
	}
}

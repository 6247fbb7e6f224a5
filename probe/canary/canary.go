// Package canary keeps a simulated member on a source's backend that dies every now and then, the hard way, and measures
// how long this program's own polls take to see it dead, and alive again after it has returned.
//
// It lives in a place that no source reads: none of its deaths becomes a series, an event or a page. What looks at it is
// the same driver, the same collector and the same poll interval that look at everybody else.
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
	// Fingerprint stands for everything that was configured: as long as it stays equal, the canary goes on untouched.
	Fingerprint string
}

// Options are what [Canaries] need from the process around them.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: nowhere
	// Member is the canaries' name in their groups. No other process that uses the same backend may have it at the same time.
	Member string
}

// Canaries are those of all sources that have one. The methods may be called concurrently.
type Canaries struct {
	logger  *slog.Logger
	metrics *metrics
	member  string

	changed chan struct{} // receives when wanted is new
	mu      sync.Mutex
	wanted  []Source
	running map[string]*bird // by source
}

// New makes canaries of no source. It fails when a metric can't be registered.
func New(opts Options) (*Canaries, error) {
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	return &Canaries{
		logger: opts.Logger.With("component", "canary"), metrics: m, member: opts.Member,
		changed: make(chan struct{}, 1), running: make(map[string]*bird),
	}, nil
}

// Use makes these the sources that have a canary, from [Canaries.Run] on.
func (c *Canaries) Use(sources []Source) {
	c.mu.Lock()
	c.wanted = sources
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Nudge lets those who look at canaries poll now, as a scrape lets sources poll. It does not wait.
func (c *Canaries) Nudge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.running {
		b.nudge()
	}
}

// Run keeps canaries until ctx ends, and removes what is left of them.
func (c *Canaries) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			for _, b := range c.replace(nil) {
				b.end()
			}
			return nil
		case <-c.changed:
			c.mu.Lock()
			wanted := c.wanted
			c.mu.Unlock()
			for _, b := range c.replace(wanted) {
				b.end()
				if !b.replaced {
					c.metrics.remove(b.source.Name)
				}
			}
			c.launch(ctx, wanted)
		}
	}
}

// replace takes out the birds that are not wanted as they are.
func (c *Canaries) replace(wanted []Source) []*bird {
	c.mu.Lock()
	defer c.mu.Unlock()
	byName := make(map[string]*Source, len(wanted))
	for i := range wanted {
		byName[wanted[i].Name] = &wanted[i]
	}
	var out []*bird
	for name, b := range c.running {
		next := byName[name]
		if next != nil && next.Fingerprint == b.source.Fingerprint {
			continue
		}
		b.replaced = next != nil
		out = append(out, b)
		delete(c.running, name)
	}
	return out
}

// launch starts a bird for every source that has none.
func (c *Canaries) launch(ctx context.Context, wanted []Source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range wanted {
		if c.running[s.Name] == nil {
			c.metrics.add(s.Name)
			c.running[s.Name] = c.newBird(ctx, s)
		}
	}
}

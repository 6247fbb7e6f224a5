// Package bridge posts deaths to every Alertmanager at the moment a poll sees them, instead of a scrape, an evaluation and
// a "for" later.
//
// The rules post the same alerts: labels and texts come from the same [alerts.Builder], so that Alertmanager merges what both
// send. The bridge therefore says early that something fires and repeats it in short-lived posts, and as a rule leaves it
// to the rules to say that it is over.
//
// What fires is a function of what the collector knows, computed anew after every event and every few seconds, so that
// nothing depends on an event that was missed. What is not known any more stays as it was.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
)

const (
	// coalesce is how long the bridge waits after an event for others: those of one poll come together, and those of
	// other sources may be about the same failure. What fires together is posted together.
	coalesce = 10 * time.Millisecond
	// eventBuffer is how many events may wait. Those that are lost cost the measured delivery latency of their alerts
	// alone.
	eventBuffer = 1000
	// checkInterval is how often Alertmanager is asked for a second alert about the same.
	checkInterval = time.Minute
	// checkTimeout bounds one such question.
	checkTimeout = 30 * time.Second
)

// Collector is what the bridge watches.
type Collector interface {
	Snapshots() []collector.Snapshot
	Subscribe(buffer int) (<-chan collector.Event, func())
}

// Options are what a [Bridge] needs from the process around it.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Collector  Collector
	// StoragePath is the folder that remembers over restarts what fires; empty: nothing is remembered.
	StoragePath string
	// Pending tells whether a source that the collector does not know yet may still be found; nil: never. Until then its
	// alerts stay as they were.
	Pending func(source string) bool
}

// A Bridge posts alerts. Its methods may be called concurrently.
type Bridge struct {
	log       *slog.Logger
	collector Collector
	pending   func(source string) bool
	metrics   *alertmanager.Metrics
	held      prometheus.Gauge
	ledger    *ledger
	saver     *saver
	transport http.RoundTripper // of tests; nil: what the configuration says

	changed chan struct{} // receives when there is another setup to use

	mu    sync.Mutex
	next  *Setup      // what Use wants, nil when it was taken over
	ended []alerts.ID // held alerts that others have ended, as clients found out since the last step
}

// New makes a bridge that posts nowhere until [Bridge.Use] is called.
func New(o Options) (*Bridge, error) {
	metrics, err := alertmanager.NewMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	b := &Bridge{
		log: o.Logger.With("component", "bridge"), collector: o.Collector, pending: o.Pending, metrics: metrics,
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "servicegroup_alerts_held",
			Help: "Alerts that go on as they were because nothing is known any more of what they are about.",
		}),
		changed: make(chan struct{}, 1),
	}
	if b.pending == nil {
		b.pending = func(string) bool { return false }
	}
	if err := o.Registerer.Register(b.held); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	store := newStore(o.StoragePath, b.log)
	b.saver = newSaver(store, b.log)
	b.ledger = newLedger(store.load())
	return b, nil
}

// Prepare makes a setup for a configuration, which has to be valid. It is to be used or closed.
func (b *Bridge) Prepare(cfg *config.Alerting) (*Setup, error) {
	s := &Setup{builder: alerts.NewBuilder(cfg), schedule: newSchedule(cfg)}
	for i := range cfg.Alertmanagers {
		client, err := b.newClient(cfg.Alertmanagers[i], s.schedule.validity())
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("alerting.alertmanagers[%d]: %w", i, err)
		}
		s.clients = append(s.clients, client)
	}
	return s, nil
}

// Use makes the bridge post as a setup says, in place of the one before.
func (b *Bridge) Use(s *Setup) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		b.next.Close() // Nobody took it over.
	}
	b.next = s
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Run posts until ctx ends. What fires then goes on in Alertmanager for as long as a post is valid. It is called once.
func (b *Bridge) Run(ctx context.Context) error {
	events, unsubscribe := b.collector.Subscribe(eventBuffer)
	defer unsubscribe()
	var background sync.WaitGroup
	defer background.Wait()
	background.Go(b.saver.run)
	defer b.saver.close()
	current := &Setup{}
	defer func() { current.stop() }()
	tick := time.NewTimer(0)
	defer tick.Stop()
	check := time.NewTicker(checkInterval)
	defer check.Stop()
	for {
		var deaths deaths
		select {
		case <-ctx.Done():
			return nil
		case <-b.changed:
			if next := b.taken(); next != nil {
				next.start(ctx)
				background.Go(current.stop)
				current = next
				b.begin(current)
			}
		case e, ok := <-events:
			if !ok {
				events = nil // The collector has ended, and so will ctx.
				continue
			}
			deaths = gather(ctx, e, events)
		case <-check.C:
			if len(current.clients) > 0 {
				b.check(ctx, current)
			}
			continue
		case <-tick.C:
		}
		if len(current.clients) > 0 {
			b.step(current, deaths)
			tick.Reset(current.schedule.tick())
		}
	}
}

// step finds out what fires now, posts what is new or due, and remembers it.
func (b *Bridge) step(current *Setup, seen deaths) {
	now := time.Now()
	changed := b.ledger.update(newSurvey(b.collector.Snapshots(), current.builder, b.pending), now)
	if n := b.ledger.end(b.takeEnded(), now); n > 0 {
		b.log.Info("held alerts are over: others, who can read their source, have ended them in Alertmanager", "alerts", n)
		changed = true
	}
	b.held.Set(float64(b.ledger.held()))
	due, over := b.ledger.due(current.schedule, current.builder, seen, now)
	for _, client := range current.clients {
		client.Withdraw(over...)
		client.Send(due...)
	}
	if changed {
		b.saver.save(b.ledger.remember())
	}
}

// begin takes note of a new setup. Everything that fires is to be posted anew: who is told, or by which labels, may have
// changed. Where nobody is told any more, nothing is kept that would be old when somebody is again.
func (b *Bridge) begin(s *Setup) {
	b.ledger.forgetSent()
	if len(s.clients) > 0 || len(b.ledger.entries) == 0 {
		return
	}
	b.ledger = newLedger(nil)
	b.held.Set(0)
	b.saver.save(b.ledger.remember())
}

// taken gives the setup to use, or nil if it was taken over already.
func (b *Bridge) taken() *Setup {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.next
	b.next = nil
	return next
}

// noteEnded takes from a client that somebody else has ended an alert that is held.
func (b *Bridge) noteEnded(a *alertmanager.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = append(b.ended, alerts.ID{
		Alert: a.Labels["alertname"], Source: a.Labels["source"], Group: a.Labels["group"], Member: a.Labels["member"],
	})
}

func (b *Bridge) takeEnded() []alerts.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	ended := b.ended
	b.ended = nil
	return ended
}

// check lets every Alertmanager be asked whether the rules' alerts are the bridge's.
func (b *Bridge) check(ctx context.Context, current *Setup) {
	firing := b.ledger.firing(current.builder)
	for _, client := range current.clients {
		client.background.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			if err := client.Check(ctx, firing); err != nil && !errors.Is(err, context.Canceled) {
				b.log.Debug("alerts could not be compared", "alertmanager", client.Name(), "err", err)
			}
		})
	}
}

// deaths are the times at which deaths were seen that are new.
type deaths map[alerts.ID]time.Time

// gather takes an event and those that come with it.
func gather(ctx context.Context, e collector.Event, events <-chan collector.Event) deaths {
	timer := time.NewTimer(coalesce)
	defer timer.Stop()
	seen := deaths{}
	for {
		if e.Type == collector.EventDeath {
			id := alerts.ID{Alert: alerts.MemberDown, Source: e.Source, Group: e.Member.Group, Member: e.Member.Name}
			seen[id] = e.Time
		}
		select {
		case <-ctx.Done():
			return seen
		case <-timer.C:
			return seen
		case next, ok := <-events:
			if !ok {
				return seen
			}
			e = next
		}
	}
}

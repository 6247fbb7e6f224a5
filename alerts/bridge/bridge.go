// Package bridge posts alerts about deaths to every Alertmanager at the end of the poll that finds them. It does not wait
// for a scrape, a rule evaluation and the rule's "for".
//
// Prometheus' rules fire the same alerts. Alertmanager merges both, because their labels and annotations come from the same
// configuration: see [alerts.Builder]. The bridge posts first, and repeats its posts, each of which is valid for a short
// time. By default the rules resolve the alert.
//
// The bridge decides nothing: the collector's snapshots say which member is down, and how many of a group are, also while
// they can't be read. The bridge evaluates the conditions of all alerts from the snapshots after every event, when hosts may have
// changed, and every few seconds. So an event that is lost loses no alert. An alert is retained while its condition can't be evaluated, because its
// source, group or member can't be read: it keeps firing, and yields to a sender that can tell.
//
// Begin with [Bridge.Run] and its step:
//
//   - evaluate.go finds the alerts whose conditions hold.
//   - state.go keeps since when each fires, and schedule.go decides when it is posted; statefile.go saves them for the next run.
//   - setup.go has what one configuration needs: the clients of package alertmanager, and hostanswers.go.
//   - firing.go tells pages what fires, and hostanswers.go which hosts answer.
//
// Besides tests of each part, histories_test.go compares the bridge with the rules, which promtool evaluates, through random histories
// of members, sources and exporters.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/collector"
)

const (
	// coalesce is how long the bridge waits for more events after one: the events of one poll come together, and events
	// of other sources may be about the same failure. Alerts that begin together are posted together.
	coalesce = 10 * time.Millisecond
	// eventBuffer is the maximum number of waiting events. If an event is lost, the delivery latency of its alert is not
	// measured; the alert is posted.
	eventBuffer = 1000
	// checkInterval is the interval at which the labels of alerts in Alertmanager are checked, and checkTimeout limits one
	// check.
	checkInterval = time.Minute
	checkTimeout  = 30 * time.Second
)

// A Collector is what the bridge needs of the collector.
type Collector interface {
	Snapshots() []collector.Snapshot
	Subscribe(buffer int) (<-chan collector.Event, func())
	HostsChanged() <-chan struct{}
}

// Options are the settings of a [Bridge].
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Collector  Collector
	// StoragePath is the folder of the state file; empty: alerts are not saved.
	StoragePath string
	// Pending returns whether a source that the collector does not have yet may still be found; nil: never. Until then its
	// alerts are retained.
	Pending func(source string) bool
}

// A Bridge posts alerts. Its methods may be called concurrently.
type Bridge struct {
	log            *slog.Logger
	collector      Collector
	pending        func(source string) bool
	metrics        *alertmanager.Metrics
	retainedAlerts prometheus.Gauge
	file           *stateFile
	transport      http.RoundTripper                                            // of tests; nil: the configuration's
	lookup         func(ctx context.Context, host string) ([]netip.Addr, error) // of tests; nil: this machine's resolver

	changed chan struct{} // receives when next is set

	// The goroutine in Run changes the state and the setup in use, with firing locked, so that Firing can read both.
	firing  sync.Mutex
	state   *state
	current *Setup

	mu                sync.Mutex
	next              *Setup      // what Use has set and Run has not taken yet
	resolvedElsewhere []alerts.ID // retained alerts that clients have found resolved since the last step
	addressAdded      bool        // an Alertmanager's name has got an address since the last step
}

// New returns a bridge, which posts nothing until [Bridge.Use] is called.
func New(o Options) (*Bridge, error) {
	metrics, err := alertmanager.NewMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	b := &Bridge{
		log: o.Logger.With("component", "bridge"), collector: o.Collector, pending: o.Pending, metrics: metrics, current: &Setup{},
		retainedAlerts: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "servicegroup_alerts_retained",
			Help: "This many alerts fire although their source, group or member can't be read, because they did when it was last read.",
		}),
		changed: make(chan struct{}, 1),
	}
	if b.pending == nil {
		b.pending = func(string) bool { return false }
	}
	if err := o.Registerer.Register(b.retainedAlerts); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	b.file = newStateFile(o.StoragePath, b.log)
	b.state = newState(b.file.load())
	return b, nil
}

// LostState reports whether the state file had alerts that can't be used.
func (b *Bridge) LostState() bool { return b.file.lost }

// Use makes the bridge post with a setup, in place of the one before. It closes a setup that was never put into use.
func (b *Bridge) Use(s *Setup) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		b.next.Close()
	}
	b.next = s
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Run posts alerts until ctx ends. In Alertmanager they keep firing until their validity ends. Run must be called once.
func (b *Bridge) Run(ctx context.Context) error {
	events, unsubscribe := b.collector.Subscribe(eventBuffer)
	defer unsubscribe()
	var background sync.WaitGroup
	defer background.Wait()
	background.Go(b.file.run)
	defer b.file.close()
	defer func() { b.current.stop() }()
	tick := time.NewTimer(0)
	defer tick.Stop()
	check := time.NewTicker(checkInterval)
	defer check.Stop()
	for {
		var detected map[alerts.ID]time.Time
		select {
		case <-ctx.Done():
			return nil
		case <-b.changed:
			if next := b.takeNext(); next != nil {
				next.start(ctx)
				background.Go(b.current.stop)
				b.begin(next)
			}
		case e, ok := <-events:
			if !ok {
				events = nil // The collector has ended, and ctx will end soon.
				continue
			}
			detected = deaths(ctx, e, events)
		case <-b.collector.HostsChanged():
			detected = deaths(ctx, collector.Event{}, events)
		case <-check.C:
			if len(b.current.alertmanagers) > 0 {
				b.checkLabels(ctx, b.current)
			}
			continue
		case <-tick.C:
		}
		if len(b.current.alertmanagers) > 0 {
			b.step(b.current, detected)
			tick.Reset(b.current.schedule.tick())
		}
	}
}

// step evaluates all alerts, posts those that are due, and saves the state if it has changed.
func (b *Bridge) step(current *Setup, detected map[alerts.ID]time.Time) {
	now := time.Now()
	snapshots := b.collector.Snapshots()
	b.firing.Lock()
	defer b.firing.Unlock()
	changed := b.state.update(evaluate(snapshots, current.builder), undecided(snapshots, b.pending), now)
	if n := b.state.endRetained(b.takeResolvedElsewhere(), now); n > 0 {
		b.log.Info("Retained alerts ended: another sender has resolved them in Alertmanager", "alerts", n)
		changed = true
	}
	b.retainedAlerts.Set(float64(b.state.retained()))
	if b.takeAddressAdded() {
		b.state.forgetPosts()
	}
	current.send(b.state.due(current.schedule, current.builder, detected, now))
	if changed {
		b.file.save(b.state.saved())
	}
}

// begin puts a setup into use, and prepares the state for it. All alerts are due again, because the Alertmanagers or the labels may have
// changed. A setup without Alertmanagers clears the state, because nothing keeps it current.
func (b *Bridge) begin(s *Setup) {
	b.firing.Lock()
	defer b.firing.Unlock()
	b.current = s
	b.state.forgetPosts()
	if len(s.alertmanagers) > 0 || len(b.state.entries)+len(b.state.ended) == 0 {
		return
	}
	b.state = newState(savedState{})
	b.retainedAlerts.Set(0)
	b.file.save(b.state.saved())
}

// takeNext returns the setup that Use has set, or nil if it was taken before.
func (b *Bridge) takeNext() *Setup {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.next
	b.next = nil
	return next
}

// noteResolvedElsewhere notes, for the next step, that another sender has resolved a retained alert. Clients call it.
func (b *Bridge) noteResolvedElsewhere(a *alertmanager.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resolvedElsewhere = append(b.resolvedElsewhere, alerts.IDOf(a.Labels).WithoutAttributes())
}

// noteAddressAdded notes that an Alertmanager's name has got an address, so that the next step posts all alerts. Clients call it.
func (b *Bridge) noteAddressAdded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addressAdded = true
}

// takeAddressAdded returns what was noted since the last step.
func (b *Bridge) takeAddressAdded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	added := b.addressAdded
	b.addressAdded = false
	return added
}

// takeResolvedElsewhere returns what was noted since the last step.
func (b *Bridge) takeResolvedElsewhere() []alerts.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := b.resolvedElsewhere
	b.resolvedElsewhere = nil
	return ids
}

// checkLabels asks every Alertmanager, in the background, whether the labels of the firing alerts equal the labels of the rules.
func (b *Bridge) checkLabels(ctx context.Context, current *Setup) {
	firing := b.state.firing(current.builder)
	for _, client := range current.clients() {
		current.background.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			if err := client.CheckLabels(ctx, firing); err != nil && !errors.Is(err, context.Canceled) {
				b.log.Debug("Checking labels in Alertmanager failed", "alertmanager", client.Name(), "err", err)
			}
		})
	}
}

// deaths waits for events that come together with one, which may be none, and returns the deaths among them: by the ID of their
// alert, when the death was detected.
func deaths(ctx context.Context, e collector.Event, events <-chan collector.Event) map[alerts.ID]time.Time {
	timer := time.NewTimer(coalesce)
	defer timer.Stop()
	detected := map[alerts.ID]time.Time{}
	for {
		if e.Type == collector.EventDeath {
			detected[memberDown(e.Source, &e.Member)] = e.Time
		}
		select {
		case <-ctx.Done():
			return detected
		case <-timer.C:
			return detected
		case next, ok := <-events:
			if !ok {
				return detected
			}
			e = next
		}
	}
}

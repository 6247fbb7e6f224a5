package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	promconfig "github.com/prometheus/common/config"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

const (
	// defaultCapacity is the maximum number of queued alerts.
	defaultCapacity = 100_000
	// defaultProbeInterval is the time without posts after which Alertmanager's status is requested.
	defaultProbeInterval = 30 * time.Second
)

// Options are the settings of a [Client].
type Options struct {
	Config config.Alertmanager
	// Validity is how long Alertmanager keeps an alert firing after a post: at least three times the interval of
	// repetitions.
	Validity time.Duration
	Metrics  *Metrics
	Logger   *slog.Logger

	// ResolvedElsewhere is called from Run with a retained alert that another sender has resolved; nil: not called. It may
	// be called again with the same alert for as long as that is sent.
	ResolvedElsewhere func(*Alert)

	// Transport carries the requests; nil: a transport that follows Config.
	Transport http.RoundTripper

	// Lookup returns the addresses of a hostname, for [NewClients]; nil: the resolver of this machine, and no lookups if
	// Transport is set.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// AddressAdded is called when a name has got another address, which has no alerts yet; nil: not called.
	AddressAdded func()

	address netip.Addr // to connect to; the zero address: one that the name has
	lost    func()     // is called when a request got no connection or no answer; nil: not called

	// Of tests; 0: the defaults.
	capacity      int
	probeInterval time.Duration
}

// A Client sends alerts to one Alertmanager. Its methods may be called concurrently, Run and followStates once each.
type Client struct {
	name                 string
	pagesURL             string     // of Alertmanager's own pages, without a user
	address              netip.Addr // the zero address: the name's
	lost                 func()
	alertsURL, statusURL string
	timeout, validity    time.Duration
	probeInterval        time.Duration
	resolvedElsewhere    func(*Alert)

	http   *http.Client
	clock  *clock
	series *series
	logger *slog.Logger
	wake   chan struct{} // of capacity 1: alerts are queued
	wanted chan struct{} // of capacity 1: the states of alerts are wanted
	close  sync.Once

	// The goroutine in Run alone uses these.
	nextRequest  time.Time // no request is made before this time while requests fail
	failures     drivers.LastingError
	failingSince time.Time     // zero: the last request succeeded, or there was none
	pause        time.Duration // the last pause between failed requests
	nextExpiry   time.Time     // when the first of accepted expires
	startedAt    string        // when the Alertmanager says that it was started; empty: unknown
	unlisted     bool          // it does not list alerts that it has accepted
	dateIsWrong  bool          // the Date header of its answers differs from its clock

	mu    sync.Mutex
	queue *queue
	// accepted has the firing alerts that the Alertmanager has accepted, by key. Only the goroutine in Run changes it.
	accepted map[string]delivery
	// withdrawn has the keys of alerts that are not queued again if the post that is under way fails.
	withdrawn map[string]bool
	// refused has the newest versions that the Alertmanager has refused, by key.
	refused map[string]refusal
	failing *failure // why the last request of Run failed; nil: it succeeded, or there was none
	states  states

	checkMu    sync.Mutex
	mismatches map[string]int // what the last check of labels found: alerts by label; a label that was seen once stays
}

// New returns a client whose series start at zero. It makes no connection yet. It reads the files that the configuration
// names, and reads them again when they change.
func New(o Options) (*Client, error) {
	if o.Validity <= 0 || o.Metrics == nil || o.Logger == nil {
		return nil, errors.New("creating an Alertmanager client: Validity, Metrics and Logger must be set")
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	name := o.Config.Name()
	var options []promconfig.HTTPClientOption
	if o.address.IsValid() {
		name = fmt.Sprintf("%s (%s)", name, o.address)
		options = append(options, dialAddress(o.Config.URL.Hostname(), o.address))
	}
	client, err := NewHTTPClient(&o.Config, o.Transport, options...)
	if err != nil {
		return nil, err
	}
	if o.lost == nil {
		o.lost = func() {}
	}
	return &Client{
		name:              name,
		pagesURL:          o.Config.Name(),
		address:           o.address,
		lost:              o.lost,
		alertsURL:         o.Config.URL.JoinPath("api/v2", "alerts").String(),
		statusURL:         o.Config.URL.JoinPath("api/v2", "status").String(),
		timeout:           time.Duration(o.Config.Timeout),
		validity:          o.Validity,
		probeInterval:     cmp.Or(o.probeInterval, defaultProbeInterval),
		resolvedElsewhere: o.ResolvedElsewhere,
		http:              client,
		clock:             newClock(),
		series:            o.Metrics.add(name),
		logger:            o.Logger.With("alertmanager", name),
		wake:              make(chan struct{}, 1),
		wanted:            make(chan struct{}, 1),
		accepted:          map[string]delivery{},
		queue:             newQueue(cmp.Or(o.capacity, defaultCapacity)),
		withdrawn:         map[string]bool{},
		refused:           map[string]refusal{},
	}, nil
}

// Name returns the value of the label "alertmanager" of this client's series: the URL, and for one address of a name that
// address too, as in "http://alertmanager:9093 (10.0.0.5)".
func (c *Client) Name() string { return c.name }

// Send queues alerts to be posted. It never blocks. A newer version of an alert replaces the queued one. A version that was
// refused is not queued again. When the queue is full, the oldest alerts are dropped and counted; those that inhibit others
// are dropped last.
func (c *Client) Send(alerts ...*Alert) {
	c.mu.Lock()
	dropped := 0
	for _, a := range alerts {
		queued := *a // A queue changes its alerts, and other clients may have the same one.
		queued.key = a.Key()
		if refused, ok := c.refused[queued.key]; ok && same(refused.alert, a) {
			continue
		}
		dropped += c.queue.add(&queued)
	}
	c.series.dropped.Add(float64(dropped))
	c.series.queued.Set(float64(c.queue.len()))
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// same returns whether two versions of an alert, with the same key, are posted with the same content.
func same(a, b *Alert) bool {
	return a.GeneratorURL == b.GeneratorURL && maps.Equal(a.Annotations, b.Annotations) &&
		a.Start.Equal(b.Start) && a.End.Equal(b.End)
}

// Withdraw removes alerts that are over from the queue, so that an Alertmanager that comes back does not get them. Alerts
// that the Alertmanager has accepted keep firing there until their validity ends.
func (c *Client) Withdraw(alerts ...*Alert) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range alerts {
		key := a.Key()
		c.queue.drop(key)
		c.withdrawn[key] = true
	}
	c.series.queued.Set(float64(c.queue.len()))
}

// queued returns the number of queued alerts.
func (c *Client) queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.len()
}

// take returns the next alerts to post.
func (c *Client) take() []*Alert {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.withdrawn)
	batch := c.queue.take(maxBatch)
	c.series.queued.Set(float64(c.queue.len()))
	return batch
}

// takeAll empties the queue, and returns what was in it.
func (c *Client) takeAll() []*Alert {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.queue.take(c.queue.len())
	c.series.queued.Set(0)
	return all
}

// putBack queues alerts again that could not be posted.
func (c *Client) putBack(batch []*Alert) {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch = slices.DeleteFunc(batch, func(a *Alert) bool { return c.withdrawn[a.key] })
	c.series.dropped.Add(float64(c.queue.putBack(batch)))
	c.series.queued.Set(float64(c.queue.len()))
}

// Close removes the client's series and closes its connections. Run must have returned.
func (c *Client) Close() {
	c.close.Do(func() {
		c.series.remove()
		c.http.CloseIdleConnections()
	})
}

package alertmanager

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/config"
)

const (
	defaultCapacity      = 100_000
	defaultProbeInterval = 30 * time.Second
)

// Options are what a [Client] is made of.
type Options struct {
	Config config.Alertmanager
	// Validity is how long Alertmanager takes a firing alert for true after it was posted: at least three times as long as
	// it takes until it is posted again.
	Validity time.Duration
	Metrics  *Metrics
	Logger   *slog.Logger

	// Ended is called from Run with a held alert that somebody else has ended; nil: nobody wants to know. It may be told of
	// the same alert again for as long as that is sent.
	Ended func(*Alert)

	// Capacity bounds the alerts that wait to be posted; 0: 100,000.
	Capacity int
	// ProbeInterval is how long nothing may be posted until Alertmanager is asked whether it is there; 0: 30 seconds.
	ProbeInterval time.Duration
	// Transport carries the requests; nil: one that does what Config says.
	Transport http.RoundTripper
}

// Client sends alerts to one Alertmanager. Send and Check may be called from many goroutines, Run once.
type Client struct {
	name              string
	alerts, status    string // URLs
	timeout, validity time.Duration
	probeInterval     time.Duration
	ended             func(*Alert)

	http    *http.Client
	clock   *clock
	series  *series
	logger  *slog.Logger
	wake    chan struct{} // of capacity 1
	sending sending       // of the goroutine that is in Run
	checked checked
	close   sync.Once

	mu    sync.Mutex
	queue *queue
	// withdrawn are those that are not to wait again, should they be on their way just now.
	withdrawn map[string]bool
	// refused are the newest versions that the Alertmanager did not take, by key.
	refused map[string]*Alert
}

// New makes a client, whose series begin at zero. It connects to nothing yet. Files that the configuration names are
// read, and later again when they change.
func New(o Options) (*Client, error) {
	if o.Validity <= 0 || o.Metrics == nil || o.Logger == nil {
		return nil, errors.New("an Alertmanager's client needs a validity, metrics and a logger")
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	client, err := newHTTPClient(&o.Config, o.Transport)
	if err != nil {
		return nil, err
	}
	name := o.Config.Name()
	return &Client{
		name:          name,
		alerts:        o.Config.URL.JoinPath("api/v2", "alerts").String(),
		status:        o.Config.URL.JoinPath("api/v2", "status").String(),
		timeout:       time.Duration(o.Config.Timeout),
		validity:      o.Validity,
		probeInterval: cmp.Or(o.ProbeInterval, defaultProbeInterval),
		http:          client,
		clock:         newClock(),
		series:        o.Metrics.add(name),
		logger:        o.Logger.With("alertmanager", name),
		wake:          make(chan struct{}, 1),
		ended:         o.Ended,
		sending:       sending{told: map[string]told{}},
		queue:         newQueue(cmp.Or(o.Capacity, defaultCapacity)),
		withdrawn:     map[string]bool{},
		refused:       map[string]*Alert{},
	}, nil
}

// Name is the label "alertmanager" of this client.
func (c *Client) Name() string { return c.name }

// Send hands over alerts to be posted. It never blocks. A version that still waits is replaced by a newer one; what was
// refused is not tried again until it says something else. When too many wait, the oldest are dropped and counted, those
// that inhibit others last.
func (c *Client) Send(alerts ...*Alert) {
	c.mu.Lock()
	dropped := 0
	for _, a := range alerts {
		e := entry{key: a.Key(), alert: a, detected: a.Detected}
		if old, ok := c.refused[e.key]; ok && same(old, a) {
			continue
		}
		dropped += c.queue.add(e)
	}
	c.series.dropped.Add(float64(dropped))
	c.series.queued.Set(float64(c.queue.len()))
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Withdraw lets alerts wait no more: what an Alertmanager that comes back is told has to be true by then. What it was told
// already it goes on to believe for as long as that is valid.
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

// waiting counts the alerts that wait.
func (c *Client) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.len()
}

// take gives the next alerts to post.
func (c *Client) take() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.withdrawn)
	batch := c.queue.take(maxBatch)
	c.series.queued.Set(float64(c.queue.len()))
	return batch
}

// putBack lets alerts that could not be posted wait again.
func (c *Client) putBack(batch []entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch = slices.DeleteFunc(batch, func(e entry) bool { return c.withdrawn[e.key] })
	c.series.dropped.Add(float64(c.queue.putBack(batch)))
	c.series.queued.Set(float64(c.queue.len()))
}

// Close ends the client's series, and closes its connections. Run must have returned.
func (c *Client) Close() {
	c.close.Do(func() {
		c.series.end()
		c.http.CloseIdleConnections()
	})
}

package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/config"
)

const (
	// lookupInterval is the time between two lookups of a name, and minLookupInterval the shortest one: a request that gets no
	// connection or no answer causes a lookup. Go's resolver does not tell how long an answer is valid.
	lookupInterval    = 30 * time.Second
	minLookupInterval = time.Second
)

// Clients are the clients of one Alertmanager of the configuration: one for each address of its name, because Alertmanagers of
// a cluster share silences and not alerts. The name is looked up again and again, and an address that is new gets a client, and
// the client of an address that is gone ends with its series. While a lookup fails, the addresses stay. There is one client
// with the name alone if it is an IP address or localhost, or if an HTTP proxy makes the connections and resolves the name.
//
// Send, Withdraw and All may be called concurrently, Run once.
type Clients struct {
	options Options
	name    string
	logger  *slog.Logger
	host    string        // the name to look up; empty: there is one client
	failed  chan struct{} // of capacity 1: a request got no connection or no answer

	mu      sync.Mutex
	ctx     context.Context // of Run; nil: Run was not called yet
	running sync.WaitGroup
	byAddr  map[netip.Addr]*entry // the zero address has the client that is used while no address is known
	failing bool                  // the last lookup failed
}

// An entry is a client and what ends it.
type entry struct {
	*Client
	stop context.CancelFunc // nil: it does not run
}

// NewClients returns the clients of an Alertmanager. It makes no connection and no lookup yet. It reads the files that the
// configuration names, and reads them again when they change.
func NewClients(o Options) (*Clients, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Clients{options: o, name: o.Config.Name(), failed: make(chan struct{}, 1), byAddr: map[netip.Addr]*entry{}}
	c.logger = o.Logger.With("alertmanager", c.name)
	if o.Lookup == nil {
		c.options.Lookup = lookup
	}
	if o.Lookup != nil || o.Transport == nil {
		c.host = hostToResolve(&o.Config)
	}
	c.options.lost = func() {
		select {
		case c.failed <- struct{}{}:
		default:
		}
	}
	first := c.options
	if c.host != "" {
		// This client only keeps alerts until the first lookup ends. It has no series.
		first.Metrics = newMetrics()
	}
	client, err := New(first)
	if err != nil {
		return nil, err
	}
	c.byAddr[netip.Addr{}] = &entry{Client: client}
	return c, nil
}

// Name returns the Alertmanager's URL, as the configuration has it.
func (c *Clients) Name() string { return c.name }

// All returns the present clients, sorted by address.
func (c *Clients) All() []*Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sorted()
}

func (c *Clients) sorted() []*Client {
	all := make([]*Client, 0, len(c.byAddr))
	for _, r := range c.byAddr {
		all = append(all, r.Client)
	}
	slices.SortFunc(all, func(a, b *Client) int { return cmp.Or(a.address.Compare(b.address), cmp.Compare(a.name, b.name)) })
	return all
}

// Send queues alerts in every client, see [Client.Send].
func (c *Clients) Send(alerts ...*Alert) { c.each(func(client *Client) { client.Send(alerts...) }) }

// Withdraw removes alerts that are over from all queues, see [Client.Withdraw].
func (c *Clients) Withdraw(alerts ...*Alert) {
	c.each(func(client *Client) { client.Withdraw(alerts...) })
}

func (c *Clients) each(do func(*Client)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.byAddr {
		do(r.Client)
	}
}

// Run runs a client for each address until ctx ends, and waits for their last attempts to post what is queued.
func (c *Clients) Run(ctx context.Context) {
	c.mu.Lock()
	c.ctx = ctx
	if c.host == "" {
		c.launch(c.byAddr[netip.Addr{}])
	}
	c.mu.Unlock()
	if c.host != "" {
		c.follow(ctx)
	}
	<-ctx.Done()
	c.running.Wait()
}

// launch starts a client. The caller holds the lock.
func (c *Clients) launch(r *entry) {
	ctx, stop := context.WithCancel(c.ctx)
	r.stop = stop
	c.running.Go(func() {
		_ = r.Run(ctx) // Run only returns nil.
		r.Close()
	})
	c.running.Go(func() { r.followStates(ctx) })
}

// follow looks up the name until ctx ends.
func (c *Clients) follow(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		c.resolve(ctx)
		timer := time.NewTimer(lookupInterval)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-c.failed:
			timer.Reset(minLookupInterval - min(minLookupInterval, time.Since(began)))
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
		timer.Stop()
	}
}

var errNoAddress = errors.New("the name has no address")

// resolve looks up the name, and makes its addresses those that get alerts.
func (c *Clients) resolve(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, time.Duration(c.options.Config.Timeout))
	defer cancel()
	addresses, err := c.options.Lookup(within, c.host)
	addresses = usable(addresses)
	if err == nil && len(addresses) == 0 {
		err = errNoAddress
	}
	if ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.keep(err)
		return
	}
	if c.failing {
		c.failing = false
		c.logger.Info("Alertmanager's name can be resolved again")
	}
	c.use(addresses)
}

// keep keeps the addresses that are known. If none is, one client tries the name, and logs why that fails. The caller holds the
// lock.
func (c *Clients) keep(err error) {
	switch r := c.byAddr[netip.Addr{}]; {
	case r == nil && !c.failing:
		c.failing = true
		c.logger.Warn("Alertmanager's name can't be resolved, its last known addresses stay in use", "err", err)
	case r != nil && r.stop == nil:
		c.replace([]netip.Addr{{}}, []netip.Addr{{}})
	}
}

// use makes the addresses those that get alerts. The caller holds the lock.
func (c *Clients) use(addresses []netip.Addr) {
	var added, removed []netip.Addr
	for _, a := range addresses {
		if c.byAddr[a] == nil {
			added = append(added, a)
		}
	}
	for a := range c.byAddr {
		if !slices.Contains(addresses, a) {
			removed = append(removed, a)
		}
	}
	if len(added) == 0 && len(removed) == 0 {
		return
	}
	unresolved := c.byAddr[netip.Addr{}]
	first := unresolved != nil && unresolved.stop == nil // It has all alerts.
	c.replace(added, removed)
	c.logger.Info("Alerts are posted to the addresses of Alertmanager's name", "addresses", addresses)
	if c.options.AddressAdded != nil && len(added) > 0 && !first {
		c.options.AddressAdded()
	}
}

// replace starts clients of addresses that are new, and ends the clients of addresses that are gone. What these have not posted goes
// to the new clients. The caller holds the lock.
func (c *Clients) replace(added, removed []netip.Addr) {
	var left []*Alert
	for _, a := range removed {
		r := c.byAddr[a]
		delete(c.byAddr, a)
		left = append(left, r.takeAll()...)
		if r.stop == nil {
			r.Close()
		} else {
			r.stop()
		}
	}
	for _, a := range added {
		o := c.options
		o.address = a
		client, err := New(o)
		if err != nil {
			c.logger.Warn("An address of Alertmanager's name can't be used", "address", a, "err", err)
			continue
		}
		client.Send(left...)
		c.byAddr[a] = &entry{Client: client}
		c.launch(c.byAddr[a])
	}
}

// Close closes clients that were never run.
func (c *Clients) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.byAddr {
		if r.stop == nil {
			r.Close()
		}
	}
}

// hostToResolve returns the name of an Alertmanager, or nothing if it is not to be looked up.
func hostToResolve(c *config.Alertmanager) string {
	if c.URL.URL == nil {
		return "" // New refuses it.
	}
	host := c.URL.Hostname()
	_, err := netip.ParseAddr(host)
	if err == nil || isLocalhost(host) || !isASCII(host) {
		return ""
	}
	if proxy := c.Proxy(); proxy != nil {
		// An error is one of the configuration of the proxy, which each request reports.
		if to, err := proxy(&http.Request{URL: c.URL.URL}); err != nil || to != nil {
			return ""
		}
	}
	return host
}

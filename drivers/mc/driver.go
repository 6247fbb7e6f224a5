package mc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"
	"servicegroup_exporter/drivers/heartbeat"
)

// Driver reads and writes heartbeats in memcached.
type Driver struct {
	cfg     Config
	format  keyFormat
	roster  drivers.Driver
	servers []*server
	logger  *slog.Logger
	clock   *referenceClock

	verdicts   verdicts
	operations atomic.Uint64
	otherKeys  atomic.Pointer[bool] // the servers have keys of the format that is not configured; nil: not known
	hadKeys    atomic.Bool          // a poll found a key of a member, so that servers and key format are right

	// life ends with Close. It bounds all calls under way.
	life context.Context
	end  context.CancelFunc

	closing sync.Once
	keeper  *heartbeat.Keeper // of the members that joined
}

var (
	_ drivers.Driver  = (*Driver)(nil)
	_ drivers.Joiner  = (*Driver)(nil)
	_ drivers.Counter = (*Driver)(nil)
)

// Open returns a driver for the members of a roster: another driver that says which members there are, and what an operator
// decided about them. The roster then belongs to the driver: it is closed by Close, or at once if Open fails. Open does
// not connect: servers may be down when the program starts.
func Open(cfg Config, roster drivers.Driver, logger *slog.Logger) (*Driver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, errors.Join(err, roster.Close())
	}
	d := &Driver{cfg: cfg, format: cfg.format(), roster: roster, logger: logger, clock: newReferenceClock()}
	d.life, d.end = context.WithCancel(context.Background())
	d.keeper = heartbeat.NewKeeper(d.life, time.Duration(cfg.ReportInterval))
	for _, s := range cfg.Servers {
		addr, err := parseServer(s)
		if err != nil {
			return nil, errors.Join(err, roster.Close())
		}
		d.servers = append(d.servers, &server{
			addr: addr, dialer: cfg.Dial.OrNet(), tls: cfg.TLS, timeout: time.Duration(cfg.Timeout),
			lifetime: freshness.Lifetime(cfg.DownTime()),
			fresh:    freshness.New(time.Duration(cfg.ReportInterval), cfg.DownTime()),
		})
	}
	return d, nil
}

// Close ends calls under way and the heartbeats of members, which are abandoned, and closes the roster and all
// connections.
func (d *Driver) Close() (err error) {
	d.closing.Do(func() {
		d.end()
		d.keeper.Wait()
		for _, s := range d.servers {
			s.close()
		}
		err = d.roster.Close()
	})
	return err
}

// Counts returns the requests to the servers and to the roster together.
func (d *Driver) Counts() drivers.Counts {
	var c drivers.Counts
	if roster, ok := d.roster.(drivers.Counter); ok {
		c = roster.Counts()
	}
	c.Operations += d.operations.Load()
	for _, s := range d.servers {
		c.Reconnects += max(s.dials.Load(), 1) - 1
	}
	return c
}

// unavailable joins the errors of servers, of which there is at least one, in one line.
func (d *Driver) unavailable(doing string, errs []error) error {
	err := errs[0]
	reason := drivers.ReasonOf(err)
	for _, e := range errs[1:] {
		err = fmt.Errorf("%w; %w", err, e)
	}
	if d.life.Err() != nil {
		reason, err = drivers.ReasonConnect, fmt.Errorf("%w (the driver is closed)", err)
	}
	return drivers.Unavailable(reason, fmt.Errorf("%s: %w", doing, err))
}

// onAll runs an operation on all servers concurrently. It returns the errors of the servers on which it failed, in order.
func (d *Driver) onAll(ctx context.Context, op func(i int, c *client) error) []error {
	errs := make([]error, len(d.servers))
	var wg sync.WaitGroup
	for i, s := range d.servers {
		wg.Go(func() { errs[i] = s.do(ctx, func(c *client) error { return op(i, c) }) })
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

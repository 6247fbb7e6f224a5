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
	"servicegroup_exporter/drivers/heartbeat"
)

// Driver reads and writes heartbeats in memcached.
type Driver struct {
	cfg     Config
	how     scheme
	roster  drivers.Driver
	servers []*server
	logger  *slog.Logger
	clock   *clock

	proofs     proofs
	operations atomic.Uint64

	// life ends with Close, and with it whatever is under way.
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

// Open makes a driver for the members of a roster: another driver of which only that is used who its members are, and what
// an operator decided about them. The roster is the driver's from here on, and closed with it, or now if Open fails. Open
// does not connect: servers may be down when the program starts.
func Open(cfg Config, roster drivers.Driver, logger *slog.Logger) (*Driver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, errors.Join(err, roster.Close())
	}
	d := &Driver{cfg: cfg, how: cfg.scheme(), roster: roster, logger: logger, clock: newClock()}
	d.life, d.end = context.WithCancel(context.Background())
	d.keeper = heartbeat.NewKeeper(d.life, time.Duration(cfg.ReportInterval))
	for _, s := range cfg.Servers {
		addr, err := parseServer(s)
		if err != nil {
			return nil, errors.Join(err, roster.Close())
		}
		d.servers = append(d.servers, &server{addr: addr, dialer: cfg.Dial.OrNet(), tls: cfg.TLS, timeout: cfg.timeout()})
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

// Counts returns what was asked of the servers so far, together with what was asked of the roster.
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

// bound ends ctx with the driver.
func (d *Driver) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.life, cancel)
	if d.life.Err() != nil {
		cancel() // The other is done in the background, which may be too late.
	}
	return ctx, func() {
		stop()
		cancel()
	}
}

// unavailable joins what the servers answered, of which there is at least one, in one line.
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

// each runs an operation on all servers side by side, and gives the errors of those on which it failed, in order.
func (d *Driver) each(ctx context.Context, op func(i int, l *link) error) []error {
	errs := make([]error, len(d.servers))
	var wg sync.WaitGroup
	for i, s := range d.servers {
		wg.Go(func() { errs[i] = s.do(ctx, func(l *link) error { return op(i, l) }) })
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

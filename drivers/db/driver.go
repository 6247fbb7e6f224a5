package db

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/heartbeat"
)

// Driver reads and writes the heartbeat table of one database.
type Driver struct {
	cfg    Config
	schema *schema
	// downTime is the service_down_time in effect.
	downTime time.Duration
	store    store
	logger   *slog.Logger

	known      atomic.Pointer[layout]
	last       atomic.Pointer[drivers.Poll] // for its texts, which seldom change
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

// Open makes a driver. It does not connect: a database may be down when the program starts. An embedded store that does
// not exist has no members, and comes into being with the first Join.
func Open(cfg Config, logger *slog.Logger) (*Driver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	st, err := openStore(cfg, logger)
	if err != nil {
		return nil, err
	}
	d := &Driver{cfg: cfg, schema: schemaOf(&cfg), downTime: cfg.downTime(), store: st, logger: logger}
	d.life, d.end = context.WithCancel(context.Background())
	d.keeper = heartbeat.NewKeeper(d.life, time.Duration(cfg.ReportInterval))
	return d, nil
}

// Close ends calls under way and the heartbeats of members, which are abandoned, and closes all connections.
func (d *Driver) Close() (err error) {
	d.closing.Do(func() {
		d.end()
		d.keeper.Wait()
		err = d.store.close()
	})
	return err
}

// Counts returns what was asked of the database so far. Connections are renewed from time to time, which counts as a
// reconnect too.
func (d *Driver) Counts() drivers.Counts {
	return drivers.Counts{
		Operations: d.operations.Load(),
		Reconnects: max(d.store.connects(), 1) - 1,
	}
}

// bound gives ctx the configured timeout, and ends it with the driver.
func (d *Driver) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.cfg.Timeout))
	stop := context.AfterFunc(d.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// What an account needs to read, and to keep members alive.
const (
	needsSelect = "the user needs GRANT SELECT on the table"
	needsWrite  = "the user needs GRANT SELECT, INSERT and UPDATE on the table"
)

// failedToWrite is failed for what changes the table.
func (d *Driver) failedToWrite(ctx context.Context, doing string, err error) error {
	return d.explained(ctx, doing, err, needsWrite)
}

// failed wraps what went wrong while doing something with the database, with its reason and the place.
func (d *Driver) failed(ctx context.Context, doing string, err error) error {
	return d.explained(ctx, doing, err, needsSelect)
}

// explained is either of the two, and what an account needs for it.
func (d *Driver) explained(ctx context.Context, doing string, err error, needs string) error {
	reason, hint := d.store.classify(err)
	switch {
	case d.life.Err() != nil:
		reason, hint = drivers.ReasonConnect, "the driver is closed"
	case ctx.Err() != nil:
		reason, hint = drivers.ReasonTimeout, "no answer in time"
	case hint == needsSelect:
		hint = needs
	}
	err = fmt.Errorf("%s %s: %w", doing, d.store, err)
	if hint != "" {
		err = fmt.Errorf("%w (%s)", err, hint)
	}
	return drivers.Unavailable(reason, err)
}

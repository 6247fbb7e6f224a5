package db

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"
	"servicegroup_exporter/drivers/heartbeat"
)

// Driver reads and writes the heartbeat table of one database.
type Driver struct {
	cfg    Config
	schema *schema
	// downTime is the service_down_time in effect, see [Config.DownTime].
	downTime time.Duration
	database database
	logger   *slog.Logger

	lastLayout atomic.Pointer[layout]
	lastPoll   atomic.Pointer[drivers.Poll] // whose texts the next poll shares
	operations atomic.Uint64
	fresh      *freshness.Check

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

// Open returns a driver. It does not connect: a database may be down when the program starts. An SQLite file that does not
// exist has no members; the first Join makes it.
func Open(cfg Config, logger *slog.Logger) (*Driver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	opened, err := openDatabase(cfg, logger)
	if err != nil {
		return nil, err
	}
	d := &Driver{cfg: cfg, schema: schemaOf(&cfg), downTime: cfg.DownTime(), database: opened, logger: logger}
	d.fresh = freshness.New(time.Duration(cfg.ReportInterval), d.downTime)
	d.life, d.end = context.WithCancel(context.Background())
	d.keeper = heartbeat.NewKeeper(d.life, time.Duration(cfg.ReportInterval))
	return d, nil
}

// Close ends calls under way and the heartbeats of members, which are abandoned, and closes all connections.
func (d *Driver) Close() (err error) {
	d.closing.Do(func() {
		d.end()
		d.keeper.Wait()
		err = d.database.close()
	})
	return err
}

// Counts returns the requests to the database so far. A connection that is replaced because of its age counts as a
// reconnect too.
func (d *Driver) Counts() drivers.Counts {
	return drivers.Counts{
		Operations: d.operations.Load(),
		Reconnects: max(d.database.connects(), 1) - 1,
	}
}

// bound returns a context that has the configured timeout, and also ends when the driver is closed.
func (d *Driver) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := drivers.WithLife(ctx, d.life)
	ctx, cancel := drivers.WithLimit(ctx, time.Duration(d.cfg.Timeout))
	return ctx, func() {
		cancel()
		end()
	}
}

// The grants that an account needs to read, and to write heartbeats.
const (
	needsSelect = "the user needs GRANT SELECT on the table"
	// If there is no table, MySQL may also answer that a permission is missing.
	makeTable     = "make the table servicegroup_canary and grant SELECT, INSERT, UPDATE and DELETE on it: docs/drill.md has the statements"
	otherDatabase = "is this the right database?"
	needsWrite    = "the user needs GRANT SELECT, INSERT and UPDATE on the table"
)

// failedToWrite is [Driver.failed] for statements that change the table.
func (d *Driver) failedToWrite(ctx context.Context, doing string, err error) error {
	return d.wrap(ctx, doing, err, needsWrite)
}

// failed adds to an error what was being done, the database's address, the reason, and a hint.
func (d *Driver) failed(ctx context.Context, doing string, err error) error {
	return d.wrap(ctx, doing, err, needsSelect)
}

// wrap wraps an error for failed and failedToWrite. Needs is the hint for an account without the necessary grants.
func (d *Driver) wrap(ctx context.Context, doing string, err error, needs string) error {
	reason, hint := d.database.classify(err)
	switch {
	case d.life.Err() != nil:
		reason, hint = drivers.ReasonConnect, "the driver is closed"
	case drivers.Ended(ctx):
		reason, hint = drivers.ReasonTimeout, ""
		err = drivers.NoAnswer(ctx, err)
	case d.cfg.private && (hint == needsSelect || hint == otherDatabase):
		hint = makeTable
	case hint == needsSelect:
		hint = needs
	}
	err = fmt.Errorf("%s %s: %w", doing, d.database, err)
	if hint != "" {
		err = fmt.Errorf("%w (%s)", err, hint)
	}
	return drivers.Unavailable(reason, err)
}

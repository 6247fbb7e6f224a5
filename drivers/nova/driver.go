package nova

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// zonesEvery is how old the zones may get. Nova itself keeps them for an hour.
const zonesEvery = time.Minute

// Driver reads the API database: which cells there are with every poll, and the zones once a minute. It has no members
// of its own.
type Driver struct {
	cloud     *Cloud
	api       *db.API
	zonesRead atomic.Pointer[time.Time] // nil: never
}

var (
	_ drivers.Driver  = (*Driver)(nil)
	_ drivers.Counter = (*Driver)(nil)
)

// Open makes the driver that fills the cloud. It does not connect.
func (c *Cloud) Open(logger *slog.Logger) (*Driver, error) {
	api, err := db.OpenAPI(c.cfg.API, logger)
	if err != nil {
		return nil, err
	}
	return &Driver{cloud: c, api: api}, nil
}

// Members gives nobody, or says that the cells or the zones can't be read. Each is learnt even if the other can't be, the
// zones first: a cell that is known is one whose zones are known too, if they can be.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	zonesErr := d.readZones(ctx)
	if len(d.cloud.cfg.Cells) == 0 {
		cells, err := d.api.Cells(ctx)
		if err != nil {
			return nil, err
		}
		d.cloud.learnCells(cells)
	}
	if zonesErr != nil {
		return nil, zonesErr
	}
	return &drivers.Poll{Catalogue: true}, nil
}

// readZones reads the zones if they are due.
func (d *Driver) readZones(ctx context.Context) error {
	if read := d.zonesRead.Load(); read != nil && time.Since(*read) < zonesEvery {
		return nil
	}
	zones, err := d.api.Zones(ctx)
	if err != nil {
		return err
	}
	d.cloud.learnZones(zones)
	d.zonesRead.Store(new(time.Now()))
	return nil
}

// Counts returns what was asked of the API database so far.
func (d *Driver) Counts() drivers.Counts { return d.api.Counts() }

// Close closes all connections. What the cloud knows stays.
func (d *Driver) Close() error { return d.api.Close() }

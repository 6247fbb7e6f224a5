package nova

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// zonesEvery is the time between two reads of the zones. Nova itself caches them for an hour.
const zonesEvery = time.Minute

// Driver reads the API database: the cells with every poll, and the zones once a minute. It has no members.
type Driver struct {
	cloud     *Cloud
	api       *db.API
	zonesRead atomic.Pointer[time.Time] // nil: never
}

var (
	_ drivers.Driver    = (*Driver)(nil)
	_ drivers.Counter   = (*Driver)(nil)
	_ drivers.Inspector = (*Driver)(nil)
)

// Open returns the driver that updates the cloud. It does not connect.
func (c *Cloud) Open(logger *slog.Logger) (*Driver, error) {
	api, err := db.OpenAPI(c.cfg.API, logger)
	if err != nil {
		return nil, err
	}
	return &Driver{cloud: c, api: api}, nil
}

// Members returns a poll without members, or an error if the cells or the zones can't be read. If one of the two can't be
// read, the other is still updated. The zones are read first, so that the zones of a new cell's hosts are there when the
// cell is.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	zonesErr := d.readZones(ctx)
	if len(d.cloud.cfg.Cells) == 0 {
		cells, err := d.api.Cells(ctx)
		if err != nil {
			return nil, err
		}
		d.cloud.setCells(cells)
	}
	if zonesErr != nil {
		return nil, zonesErr
	}
	return &drivers.Poll{ListsDatabases: true, Problems: onlyCell0(d.cloud.Cells())}, nil
}

// onlyCell0 returns the problem that a Nova has no cell but cell0, which never has services. nova-manage gives it this name.
func onlyCell0(cells []db.Cell) []drivers.Problem {
	if len(cells) != 1 || cells[0].Name != "cell0" {
		return nil
	}
	return []drivers.Problem{{
		Kind: drivers.ProblemUnmatched,
		Detail: "The only cell of this Nova is cell0, which never has services. Create a cell with nova-manage cell_v2 create_cell, or " +
			"correct the database in [api_database] connection.",
	}}
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
	d.cloud.setZones(zones)
	d.zonesRead.Store(new(time.Now()))
	return nil
}

// Counts returns the requests to the API database so far.
func (d *Driver) Counts() drivers.Counts { return d.api.Counts() }

// Inspect returns the findings about the API database.
func (d *Driver) Inspect(ctx context.Context) []drivers.Finding { return d.api.Inspect(ctx) }

// Close closes all connections. The cloud keeps its state.
func (d *Driver) Close() error { return d.api.Close() }

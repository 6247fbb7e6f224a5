package nova

import (
	"maps"
	"slices"
	"sync"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// Config describes a [Cloud].
type Config struct {
	// API is the API database.
	API db.Config
	// Connection is Nova's own [database]connection, whose parts fill in the DSNs of cells that are templates.
	Connection drivers.Secret
	// Parameters are appended to the DSNs of cells: Nova's [database]connection_parameters.
	Parameters string
	// Cells are the cells, if they are configured and not read from the API database. Their DSNs may be templates too.
	Cells []db.Cell

	// DefaultZone is the zone of compute hosts in no aggregate with a zone: Nova's default_availability_zone.
	DefaultZone string
	// InternalZone is the zone of all other services: Nova's internal_service_availability_zone.
	InternalZone string
}

// Database returns the DSN of Nova's own database, for a Nova without cells.
func (c *Config) Database() drivers.Secret {
	return drivers.SecretText(Extend(c.connection(), c.Parameters))
}

// connection returns the text of Connection, which is never in a file of its own, so that reading can't fail.
func (c *Config) connection() string {
	text, _ := c.Connection.Read()
	return text
}

// A Cloud is the last state that was read of one Nova: its cells and zones. The driver that [Cloud.Open] returns updates
// it; what the driver can't read stays as it was. Its methods may be called concurrently.
type Cloud struct {
	cfg     Config
	changed func()

	mu    sync.Mutex
	cells []db.Cell         // DSNs are as written, possibly templates; nil: never read
	zones map[string]string // by host; nil: never read
}

// NewCloud returns a cloud that starts with the state of the one before it, which may be nil. It calls changed each time
// that it reads other cells than before.
func NewCloud(cfg Config, before *Cloud, changed func()) *Cloud {
	c := &Cloud{cfg: cfg, changed: changed}
	if before != nil {
		before.mu.Lock()
		c.cells, c.zones = before.cells, before.zones
		before.mu.Unlock()
	}
	if len(cfg.Cells) > 0 {
		c.cells = cfg.Cells
	}
	return c
}

// Cells returns the cells, with their DSNs filled in, or nil if they were never read.
func (c *Cloud) Cells() []db.Cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	cells := slices.Clone(c.cells)
	for i := range cells {
		// A configured DSN may be in a file that can't be read now: opening the cell's driver then returns the error.
		if dsn, err := cells[i].DSN.Read(); err == nil {
			cells[i].DSN = drivers.SecretText(Extend(Format(dsn, c.cfg.connection()), c.cfg.Parameters))
		}
	}
	return cells
}

// Known reports whether there are cells and zones, read or configured.
func (c *Cloud) Known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.cells) > 0 && c.zones != nil
}

// setCells replaces the cells by those that were read from the API database.
func (c *Cloud) setCells(cells []db.Cell) {
	c.mu.Lock()
	same := slices.Equal(cells, c.cells)
	c.cells = cells
	c.mu.Unlock()
	if !same {
		c.changed()
	}
}

// setZones replaces the zones by those that were read from the API database. Equal zones are kept, to save memory.
func (c *Cloud) setZones(zones map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.zones == nil || !maps.Equal(zones, c.zones) {
		c.zones = zones
	}
}

// zonesByHost returns the zones by host, or nil if they were never read. The map is never modified.
func (c *Cloud) zonesByHost() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.zones
}

package nova

import (
	"maps"
	"slices"
	"sync"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// Config says what a [Cloud] is.
type Config struct {
	// API is the API database.
	API db.Config `yaml:"api"`
	// Connection is Nova's own [database]connection, from which cells' DSNs that are templates are filled in.
	Connection drivers.Secret `yaml:"connection"`
	// Parameters are added to the DSNs of cells, as Nova's [database]connection_parameters.
	Parameters string `yaml:"parameters"`
	// Cells are the cells, if they are not to be read from the API database. Their DSNs may be templates too.
	Cells []db.Cell `yaml:"cells"`

	// DefaultZone is that of compute hosts in no aggregate with a zone: Nova's default_availability_zone.
	DefaultZone string `yaml:"default_zone"`
	// InternalZone is that of all other services: Nova's internal_service_availability_zone.
	InternalZone string `yaml:"internal_zone"`
}

// Database gives the DSN of Nova's own database, for one without cells.
func (c *Config) Database() drivers.Secret {
	return drivers.SecretText(Extend(c.connection(), c.Parameters))
}

// connection reveals Connection, which is never in a file of its own.
func (c *Config) connection() string {
	text, _ := c.Connection.Read()
	return text
}

// A Cloud is what is known of one Nova. It is a memory only: its driver, which [Cloud.Open] makes, fills it, and what it
// can't read again stays. Its methods may be called concurrently.
type Cloud struct {
	cfg     Config
	changed func()

	mu    sync.Mutex
	cells []db.Cell         // as written, templates and all; nil: never read
	zones map[string]string // by host; nil: never read
}

// NewCloud makes a cloud that knows what the one before it knew, which may be nil. The function is called when it learns
// of other cells than before.
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

// Cells returns the cells that are known, with their DSNs filled in, or nil as long as it is not known which there are.
func (c *Cloud) Cells() []db.Cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	cells := slices.Clone(c.cells)
	for i := range cells {
		// The file of one that was listed by hand may be away just now: who opens it will say so.
		if dsn, err := cells[i].DSN.Read(); err == nil {
			cells[i].DSN = drivers.SecretText(Extend(Format(dsn, c.cfg.connection()), c.cfg.Parameters))
		}
	}
	return cells
}

// Known says whether both cells and zones were read, or given, some time.
func (c *Cloud) Known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.cells) > 0 && c.zones != nil
}

// learnCells takes in what the API database says.
func (c *Cloud) learnCells(cells []db.Cell) {
	c.mu.Lock()
	same := slices.Equal(cells, c.cells)
	c.cells = cells
	c.mu.Unlock()
	if !same {
		c.changed()
	}
}

// learnZones takes in what the API database says. The texts of zones are shared, since there are few.
func (c *Cloud) learnZones(zones map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.zones == nil || !maps.Equal(zones, c.zones) {
		c.zones = zones
	}
}

// zoneMap gives the zones by host, which never change afterwards, or nil as long as they are not known.
func (c *Cloud) zoneMap() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.zones
}

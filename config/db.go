package config

import (
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// DB is the section "db" of a source: a table with heartbeats.
type DB struct {
	// DSN names the database: a SQLAlchemy URL as OpenStack's files have it (mysql+pymysql://user:password@host/nova,
	// postgresql+psycopg2://…), a Go MySQL DSN, libpq's keywords, or sqlite:///PATH for the embedded store.
	DSN drivers.Secret `yaml:"dsn"`
	// Password takes the place of the DSN's.
	Password drivers.Secret `yaml:"password"`

	// NovaConf are Nova's own configuration files, which name Nova's databases. There is no DSN then.
	NovaConf drivers.Paths `yaml:"nova_conf"`
	// Cells are Nova's cells, for an account that may not read them from the API database.
	Cells []Cell `yaml:"cells"`

	// Schema names the service that the table belongs to, as "nova", or is "custom".
	Schema string `yaml:"schema"`
	// Verdict is "computed" or "stored": which of a service's own verdicts to report. Empty: "computed".
	Verdict string `yaml:"verdict"`
	// Custom describes the table of the schema "custom".
	Custom *DBCustom `yaml:"custom"`

	// ServiceDownTime is how old a heartbeat may be, and ReportInterval the time between two heartbeats of a joined member.
	// [drivers.Unset]: the schema's own.
	ServiceDownTime drivers.Duration `yaml:"service_down_time"`
	ReportInterval  drivers.Duration `yaml:"report_interval"`
	// Timeout bounds every poll and every heartbeat.
	Timeout drivers.Duration `yaml:"timeout"`
}

// Cell is one of Nova's cells.
type Cell struct {
	Name string `yaml:"name"`
	// DSN names its database. It may be a template that takes parts from Nova's [database]connection.
	DSN drivers.Secret `yaml:"dsn"`
}

// DBCustom describes a heartbeat table that no schema fits. A column that is not named is one that the table does not
// have. A row whose name is NULL is not a member.
type DBCustom struct {
	Table string `yaml:"table"`

	// Group is the column with the member's group, or GroupName is the one group of all members.
	Group     string `yaml:"group"`
	GroupName string `yaml:"group_name"`
	// Name is the column with the member's name, which is unique in its group.
	Name string `yaml:"name"`

	// Binary and Zone are columns with labels; DisabledReason, Version and UUID are shown on the info series only.
	Binary         string `yaml:"binary"`
	Zone           string `yaml:"zone"`
	DisabledReason string `yaml:"disabled_reason"`
	Version        string `yaml:"version"`
	UUID           string `yaml:"uuid"`

	// Heartbeat are the columns with the time of the last proof of life: the first that is not NULL counts.
	Heartbeat []string `yaml:"heartbeat"`
	// HeartbeatUnit is "time" for dates and times in UTC, or "seconds" or "milliseconds" since 1970. Empty: "time".
	HeartbeatUnit string `yaml:"heartbeat_unit"`
	// ReportCount is the column with a whole number that every heartbeat increases by one.
	ReportCount string `yaml:"report_count"`

	// Deleted is the column that marks rows as deleted, and DeletedKind how: by a "flag" that is set, by a "number" that
	// is not 0, or by a "time" that is not NULL. Empty: "flag".
	Deleted     string `yaml:"deleted"`
	DeletedKind string `yaml:"deleted_kind"`

	// Disabled, or its opposite Enabled, and ForcedDown are columns with what an operator decided.
	Disabled   string `yaml:"disabled"`
	Enabled    string `yaml:"enabled"`
	ForcedDown string `yaml:"forced_down"`

	// FutureHeartbeats is the verdict about a heartbeat that is further in the future than it may be in the past: "down", as in
	// Nova, or "up". Empty: "down".
	FutureHeartbeats string `yaml:"future_heartbeats"`
	// Boundary is whether a heartbeat that is exactly service_down_time old still counts: "inclusive" or "exclusive". Empty:
	// "inclusive".
	Boundary string `yaml:"boundary"`
}

// DefaultDB returns the defaults that hold for every schema.
func DefaultDB() DB {
	return DB{
		Schema: "nova", ServiceDownTime: drivers.Unset, ReportInterval: drivers.Unset,
		Timeout: drivers.Duration(5 * time.Second),
	}
}

// validate checks the settings that go together with nova_conf. Everything else is checked by the driver.
func (c *DB) validate() error {
	if len(c.NovaConf) == 0 {
		if len(c.Cells) > 0 {
			return drivers.Field("cells", "are only for nova_conf; without it, make each database a source")
		}
		return nil
	}
	var errs []error
	if !c.DSN.IsZero() {
		errs = append(errs, drivers.Field("dsn", "nova_conf names the databases; keep one of the two"))
	}
	if c.Schema != "nova" {
		errs = append(errs, drivers.Field("schema", "is nova where nova_conf is set"))
	}
	seen := map[string]bool{}
	for i, cell := range c.Cells {
		field := fmt.Sprintf("cells[%d].name", i)
		switch {
		case cell.Name == "" || !goodName(cell.Name):
			errs = append(errs, drivers.Field(field, "every cell needs a name of letters, digits and signs, without spaces"))
		case seen[cell.Name]:
			errs = append(errs, drivers.Field(field, "there is another cell %q", cell.Name))
		}
		seen[cell.Name] = true
	}
	return errors.Join(errs...)
}

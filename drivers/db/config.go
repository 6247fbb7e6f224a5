package db

import (
	"errors"
	"time"

	"servicegroup_exporter/drivers"
)

// Config is the section "db" of a source.
type Config struct {
	// DSN says which database: a SQLAlchemy URL as it stands in OpenStack's files
	// (mysql+pymysql://user:password@host/nova?charset=utf8, postgresql+psycopg2://…), a Go MySQL DSN
	// (user:password@tcp(host:3306)/nova), libpq's keywords (host=… dbname=nova), or sqlite:///PATH for the embedded store.
	DSN drivers.Secret

	// Password takes the place of the DSN's where it is set. Both, and the files with keys and certificates that the DSN
	// names, are read anew for each connection.
	Password drivers.Secret

	// Schema is whose table it is: the name of a service, as "nova", or "custom".
	Schema string

	// Verdict is which of a service's own verdicts to give, where it has several. Empty is computed.
	Verdict Verdict

	// Custom describes the table of the schema "custom", and is nil for all others.
	Custom *Custom

	// ServiceDownTime is how old a heartbeat may be: Nova's service_down_time, or what the service calls it. Heat's rows
	// say it themselves.
	ServiceDownTime drivers.Duration

	// ReportInterval is the time between two heartbeats of a joined member: Nova's report_interval. As in Nova, a
	// ServiceDownTime that is not longer is replaced by two and a half times this.
	ReportInterval drivers.Duration

	// Timeout bounds every poll and every heartbeat, with the connecting that it may take. A context may end them
	// sooner.
	Timeout drivers.Duration

	// Dial makes the connections; nil: the network does.
	Dial drivers.Dialer

	// private says that the table is this program's own: see Private.
	private bool
}

// DefaultConfig returns Nova's own times. Only the DSN is left to be set.
func DefaultConfig() Config {
	return Config{
		Schema:          "nova",
		ServiceDownTime: drivers.Duration(60 * time.Second),
		ReportInterval:  drivers.Duration(10 * time.Second),
		Timeout:         drivers.Duration(5 * time.Second),
	}
}

// Validate returns every mistake as a [drivers.FieldError], joined with errors.Join. No error shows a password.
func (c *Config) Validate() error {
	_, err := c.target()
	return errors.Join(err, c.ValidateTable())
}

// ValidateTable is Validate without the DSN and the password.
func (c *Config) ValidateTable() error {
	return errors.Join(c.checkSchema(), drivers.CheckPositive("service_down_time", c.ServiceDownTime),
		drivers.CheckPositive("report_interval", c.ReportInterval), drivers.CheckPositive("timeout", c.Timeout))
}

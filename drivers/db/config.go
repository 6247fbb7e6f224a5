package db

import (
	"errors"
	"net/url"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Config is the section "db" of a source.
type Config struct {
	// DSN is the database: a SQLAlchemy URL as in OpenStack's configuration files
	// (mysql+pymysql://user:password@host/nova?charset=utf8, postgresql+psycopg2://…), a Go MySQL DSN
	// (user:password@tcp(host:3306)/nova), libpq's keywords (host=… dbname=nova), or sqlite:///PATH for an SQLite file.
	DSN drivers.Secret

	// Password replaces the DSN's password, if it is set. Both are read for each connection, and so are the files with keys
	// and certificates that the DSN names.
	Password drivers.Secret

	// Schema is the name of the service whose table it is, such as "nova", or "custom".
	Schema string

	// Verdict selects one of the service's verdicts, if it has several. Empty means VerdictComputed.
	Verdict Verdict

	// Custom describes the table of the schema "custom". It is nil for all other schemas.
	Custom *Custom

	// ServiceDownTime is the age up to which a heartbeat counts: Nova's service_down_time, or the same setting of another
	// service. It has no effect for Heat, whose rows have an interval of their own.
	ServiceDownTime drivers.Duration

	// ReportInterval is the time between two heartbeats of a joined member: Nova's report_interval. As in Nova, a
	// ServiceDownTime that is not longer is replaced by two and a half times this.
	ReportInterval drivers.Duration

	// Timeout bounds every poll and every heartbeat, including connecting. A context may end them sooner.
	Timeout drivers.Duration

	// Dial makes the connections; nil: a [net.Dialer] does.
	Dial drivers.Dialer

	// IsCell is set for one of several cells of a Nova, of which any may be empty.
	IsCell bool

	// private selects the canaries' own table: see Private.
	private bool
}

// A Verdict selects one of the verdicts that a service has about its members.
type Verdict string

const (
	// VerdictComputed is by the age of heartbeats.
	VerdictComputed Verdict = "computed"
	// VerdictStored is the state that the service stored in the table, as its own tools report it. It can stay wrong without
	// end: a service that crashes does not update it.
	VerdictStored Verdict = "stored"
)

// DefaultConfig returns Nova's defaults. The DSN is still to be set.
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

// checkSchema checks the settings that describe the table.
func (c *Config) checkSchema() error {
	switch s := schemaOf(c); {
	case c.Schema == custom && c.Custom == nil:
		return drivers.Field("custom", "is missing: schema %q needs the description of the table", custom)
	case s == nil:
		return drivers.Field("schema", "%w", suggest.NotOneOf(c.Schema, schemaNames()))
	case c.Verdict != "" && c.Verdict != VerdictComputed && c.Verdict != VerdictStored:
		return drivers.Field("verdict", "%w", suggest.NotOneOf(string(c.Verdict), []string{string(VerdictComputed), string(VerdictStored)}))
	case s.rulesFor(c.Verdict) == nil:
		return drivers.Field("verdict", "schema %s has no stored state", c.Schema)
	case c.Schema != custom && c.Custom != nil:
		return drivers.Field("custom", "has an effect only for schema %q", custom)
	case c.Custom != nil:
		return c.Custom.validate()
	}
	return nil
}

// SetDefaults sets the times that are [drivers.Unset] to the schema's defaults. The defaults of a custom schema are Nova's.
func (c *Config) SetDefaults() {
	t := nova().times
	if s := schemaOf(c); s != nil {
		t = s.times
	}
	if c.ServiceDownTime == drivers.Unset {
		c.ServiceDownTime = t.down
	}
	if c.ReportInterval == drivers.Unset {
		c.ReportInterval = t.interval
	}
}

// DownTime returns the service_down_time in effect, corrected by [drivers.DownTime] for the schemas whose readers do that.
func (c *Config) DownTime() time.Duration {
	if s := schemaOf(c); s != nil && !s.corrects {
		return time.Duration(c.ServiceDownTime)
	}
	return drivers.DownTime(time.Duration(c.ServiceDownTime), time.Duration(c.ReportInterval))
}

// Private returns the configuration of a table in the same database that no other source reads: servicegroup_canary, with
// Nova's rule, times and column types for every schema. An operator creates it, as docs/drill.md describes. For an SQLite
// file it is a second file, which the driver creates.
func (c Config) Private() Config {
	c.Custom, c.Verdict = nil, ""
	c.Schema = "nova"
	if t, err := c.target(); err == nil && t.isFile() {
		c.DSN = drivers.SecretText("sqlite:///" + (&url.URL{Path: t.path + ".canary"}).EscapedPath())
		return c
	}
	c.private = true
	return c
}

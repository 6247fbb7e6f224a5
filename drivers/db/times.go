package db

import (
	"time"

	"servicegroup_exporter/drivers"
)

// times are a service's defaults of service_down_time and report_interval.
type times struct{ down, interval drivers.Duration }

// seconds makes times of numbers as they stand in the services' own documentation.
func seconds(down, interval int) times {
	return times{drivers.Duration(down) * drivers.Duration(time.Second), drivers.Duration(interval) * drivers.Duration(time.Second)}
}

// unset is a time that is still to be set: no file can say it.
const unset drivers.Duration = -1

// Unset returns the defaults that hold for every schema. SetDefaults sets those that depend on the schema, when it is
// known.
func Unset() Config {
	c := DefaultConfig()
	c.ServiceDownTime, c.ReportInterval = unset, unset
	return c
}

// SetDefaults sets the times that the schema has defaults for, where they are not set yet. Those of a custom schema are
// Nova's.
func (c *Config) SetDefaults() {
	t := nova().times
	if s := schemaOf(c); s != nil {
		t = s.times
	}
	if c.ServiceDownTime == unset {
		c.ServiceDownTime = t.down
	}
	if c.ReportInterval == unset {
		c.ReportInterval = t.interval
	}
}

// downTime is the service_down_time in effect: only Nova's readers ever correct what is configured.
func (c *Config) downTime() time.Duration {
	if s := schemaOf(c); s != nil && !s.corrects {
		return time.Duration(c.ServiceDownTime)
	}
	return drivers.DownTime(time.Duration(c.ServiceDownTime), time.Duration(c.ReportInterval))
}

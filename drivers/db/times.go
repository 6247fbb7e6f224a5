package db

import (
	"time"

	"servicegroup_exporter/drivers"
)

// times are a service's defaults of service_down_time and report_interval.
type times struct{ down, interval drivers.Duration }

// seconds returns times in seconds, as in the services' own documentation.
func seconds(down, interval int) times {
	return times{drivers.Duration(down) * drivers.Duration(time.Second), drivers.Duration(interval) * drivers.Duration(time.Second)}
}

// SetDefaults sets the times that are [drivers.Unset] to those of the schema. Those of a custom schema are Nova's.
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

// downTime returns the service_down_time in effect, corrected by [drivers.DownTime] for the schemas whose readers do that.
func (c *Config) downTime() time.Duration {
	if s := schemaOf(c); s != nil && !s.corrects {
		return time.Duration(c.ServiceDownTime)
	}
	return drivers.DownTime(time.Duration(c.ServiceDownTime), time.Duration(c.ReportInterval))
}

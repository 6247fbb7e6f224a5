package sources

import (
	"fmt"
	"time"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// A ChangedValue is a setting of a source whose value in effect is another one than the configured one.
type ChangedValue struct {
	Source, Setting      string
	Configured, InEffect time.Duration
	Reason               string // a clause that follows "because"
}

func (c *ChangedValue) String() string {
	return fmt.Sprintf("source %s: %s is %v and not %v, because %s", c.Source, c.Setting, c.InEffect, c.Configured, c.Reason)
}

// ChangedValues returns the settings that a driver changes before it uses them.
func ChangedValues(c *config.Config) []ChangedValue {
	var all []ChangedValue
	for i := range c.Sources {
		s := &c.Sources[i]
		corrected := func(configured, interval drivers.Duration, inEffect time.Duration) {
			if inEffect == time.Duration(configured) {
				return
			}
			all = append(all, ChangedValue{
				Source: s.Name, Setting: "service_down_time", Configured: time.Duration(configured), InEffect: inEffect,
				Reason: fmt.Sprintf("it is not longer than report_interval (%v): Nova itself then uses 2.5 report intervals", interval),
			})
		}
		if s.DB != nil {
			cfg := dbConfig(s.DB)
			corrected(cfg.ServiceDownTime, cfg.ReportInterval, cfg.DownTime())
		}
		if s.MC != nil {
			cfg := mcConfig(s.MC)
			corrected(cfg.ServiceDownTime, cfg.ReportInterval, cfg.DownTime())
		}
		if s.Nova != nil && s.Nova.MC != nil {
			cfg := mcConfig(s.Nova.MC)
			corrected(cfg.ServiceDownTime, cfg.ReportInterval, cfg.DownTime())
		}
	}
	return all
}

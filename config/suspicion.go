package config

import (
	"time"

	"servicegroup_exporter/drivers"
)

// minMargin is more than the rounding of heartbeats to whole seconds.
const minMargin = drivers.Duration(time.Second)

// Suspicion is the section "suspicion" of a source.
type Suspicion struct {
	// Enabled is false for drivers whose members have no heartbeats.
	Enabled bool `yaml:"enabled"`
	// Margin is how much longer than one and a half of its reporting intervals a member may be silent before it is suspected.
	Margin drivers.Duration `yaml:"margin"`
}

// DefaultSuspicion returns the settings for members with heartbeats.
func DefaultSuspicion() Suspicion {
	return Suspicion{Enabled: true, Margin: drivers.Duration(10 * time.Second)}
}

// validateSuspicion checks the section, and turns suspicion off for a driver whose members have no heartbeats.
func validateSuspicion(r *report, s *Source, path string) {
	if s.Suspicion.Margin < minMargin {
		r.settingf(path+".suspicion.margin", "is %s, must be at least %s", s.Suspicion.Margin, minMargin)
	}
	if s.Driver != "zk" {
		return
	}
	if _, isSet := r.places[path+".suspicion.enabled"]; isSet && s.Suspicion.Enabled {
		r.settingf(path+".suspicion.enabled", "members of ZooKeeper have no heartbeats that could be overdue: a death is seen when the session ends")
	}
	s.Suspicion.Enabled = false
}

package collector

import (
	"time"

	"servicegroup_exporter/collector/tracker"
)

// A clock returns the present instant.
type clock func() tracker.Instant

// newClock returns the clock of this machine.
func newClock() clock {
	start := time.Now()
	return func() tracker.Instant {
		now := time.Now()
		return tracker.Instant{Wall: now, Mono: now.Sub(start)}
	}
}

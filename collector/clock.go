package collector

import "time"

// An instant is a moment on this machine, by both of its clocks: the wall clock, which operators and other machines
// understand but which can be set, and the monotonic one, which only measures durations. Nothing that happens to the
// wall clock may look like a death, so durations between instants are monotonic.
type instant struct {
	wall time.Time
	mono time.Duration
}

// A clock tells the instant.
type clock func() instant

// newClock is the real clock.
func newClock() clock {
	start := time.Now()
	return func() instant {
		now := time.Now()
		return instant{wall: now, mono: now.Sub(start)}
	}
}

// sub is the time from an earlier instant to this one.
func (i instant) sub(earlier instant) time.Duration { return i.mono - earlier.mono }

// at gives the instant of a wall time that an earlier process wrote down. Only the wall clock spans processes.
func (i instant) at(wall time.Time) instant {
	if wall.IsZero() {
		return instant{}
	}
	return instant{wall: wall, mono: i.mono - i.wall.Sub(wall)}
}

func (i instant) isZero() bool { return i.wall.IsZero() }

package tracker

import "time"

// An Instant is a moment on this machine, by both of its clocks. The wall clock can be set at any time; the monotonic clock
// only measures durations. A change of the wall clock must not look like a death, so durations between instants are
// taken from the monotonic clock.
type Instant struct {
	// Wall is the time by the wall clock, which operators and other machines understand.
	Wall time.Time
	// Mono is the time since some fixed moment of this process.
	Mono time.Duration
}

// Sub returns the time from an earlier instant to this one.
func (i Instant) Sub(earlier Instant) time.Duration { return i.Mono - earlier.Mono }

// IsZero reports whether this is the zero Instant, which stands for "never".
func (i Instant) IsZero() bool { return i.Wall.IsZero() }

// after returns the instant that is later by d.
func (i Instant) after(d time.Duration) Instant {
	return Instant{Wall: i.Wall.Add(d), Mono: i.Mono + d}
}

// at returns the instant of a wall time that an earlier process wrote down. Only the wall clock spans processes.
func (i Instant) at(wall time.Time) Instant {
	if wall.IsZero() {
		return Instant{}
	}
	return Instant{Wall: wall, Mono: i.Mono - i.Wall.Sub(wall)}
}

// atPast is like at for a time that was in the past when it was written down. If it is not any more, because the wall clock
// was set back, it counts as now.
func (i Instant) atPast(wall time.Time) Instant {
	if at := i.at(wall); i.Sub(at) >= 0 {
		return at
	}
	return i
}

// A pollTime is when a poll was made.
type pollTime struct {
	start, end Instant   // when the poll was begun, and when its answer had come
	clock      time.Time // the backend's clock during the poll, or this machine's where the backend has none
}

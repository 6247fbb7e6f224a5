package mc

import (
	"sync"
	"time"
)

// Ages are differences to this machine's clock, which an operator or a time daemon may set. After a step there are two
// candidates for the time: the clock as it is now, and the clock as it would be without the step. The members write the
// times of their own clocks, so the driver takes the candidate that more members agree with: a clock that is corrected is
// followed, one that is set to a wrong time is not.

// minStep is the smallest jump of the clock that counts as a step, and not as the work of a time daemon.
const minStep = time.Second

// A referenceClock returns the time that heartbeats are compared with.
type referenceClock struct {
	start time.Time // with this machine's monotonic clock

	mu   sync.Mutex
	wall time.Time     // the time that the last poll used
	mono time.Duration // since start, at that moment
}

func newReferenceClock() *referenceClock {
	now := time.Now()
	return &referenceClock{start: now, wall: now.Round(0)}
}

// read returns the times of this machine's wall clock and monotonic clock.
func (c *referenceClock) read() (wall time.Time, mono time.Duration) {
	now := time.Now()
	return now.Round(0), now.Sub(c.start)
}

// choose returns the time that most members agree with, for the moment at which read was called. Stepped reports that it
// differs from this machine's wall clock.
func (c *referenceClock) choose(wall time.Time, mono, downTime time.Duration, members []replies) (now time.Time, stepped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	unstepped := c.wall.Add(mono - c.mono)
	if wall.Sub(unstepped).Abs() > minStep {
		before, after := agreeing(members, unstepped, downTime), agreeing(members, wall, downTime)
		// If no live member agrees with the new time, there is no evidence for it.
		if before > after || after == 0 {
			return unstepped, true
		}
	}
	c.wall, c.mono = wall, mono
	return wall, false
}

// agreeing counts the members whose newest heartbeat is within downTime of a time, before or after it.
func agreeing(members []replies, now time.Time, downTime time.Duration) int {
	n := 0
	for i := range members {
		at := members[i].newest.at
		if !at.IsZero() && now.Sub(at).Abs() <= downTime {
			n++
		}
	}
	return n
}

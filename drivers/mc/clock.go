package mc

import (
	"sync"
	"time"
)

// Ages are by this machine's clock, and somebody may set that. Who then looks dead, or alive again, is so by one of two
// clocks: the new one, and the old one as it would have gone on. The members write by clocks of their own, and are asked
// which of the two is theirs. So a clock that was wrong and is put right is followed, and one that goes wrong is not.

// minStep is by how much a clock has to jump to have been set, rather than kept right by a time daemon.
const minStep = time.Second

// A clock tells the time that heartbeats are compared with.
type clock struct {
	born time.Time // as this machine's monotonic clock, too

	mu   sync.Mutex
	wall time.Time     // what was believed last
	mono time.Duration // and when that was
}

func newClock() *clock {
	now := time.Now()
	return &clock{born: now, wall: now.Round(0)}
}

// read gives this machine's two clocks.
func (c *clock) read() (wall time.Time, mono time.Duration) {
	now := time.Now()
	return now.Round(0), now.Sub(c.born)
}

// choose gives the time at which this machine's clocks were read, as most members understand it, and says whether it is
// another than this machine's wall clock's.
func (c *clock) choose(wall time.Time, mono, downTime time.Duration, members []testimony) (now time.Time, other bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.wall.Add(mono - c.mono)
	if wall.Sub(old).Abs() > minStep {
		byOld, byNew := fresh(members, old, downTime), fresh(members, wall, downTime)
		// Without anybody who is alive there is nobody to follow.
		if byOld > byNew || byNew == 0 {
			return old, true
		}
	}
	c.wall, c.mono = wall, mono
	return wall, false
}

// fresh counts the members whose last heartbeat is of about that time.
func fresh(members []testimony, now time.Time, downTime time.Duration) int {
	n := 0
	for i := range members {
		at := members[i].newest.at
		if !at.IsZero() && now.Sub(at).Abs() <= downTime {
			n++
		}
	}
	return n
}

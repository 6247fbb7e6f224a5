package mc

import "time"

// A reading is what is remembered of the heartbeats that a server showed, to notice that some of them ended.
type reading struct {
	at    time.Time
	found int
}

// newestBeat returns the newest heartbeat of a server. A heartbeat from the future says nothing about when it was written.
func newestBeat(replies []reply, now time.Time) (newest time.Time) {
	for i := range replies {
		if at := replies[i].at; at.After(newest) && !at.After(now) {
			newest = at
		}
	}
	return newest
}

// mustBeFresh reports whether a server must be read once more on a new connection: all heartbeats on it have stopped, perhaps
// because the members write to another server, which the name or the load balancer leads to by now.
func (s *server) mustBeFresh(replies []reply, now time.Time, downTime time.Duration) bool {
	found, ended := 0, false
	s.mu.Lock()
	last := s.last
	for i := range replies {
		if r := &replies[i]; r.found {
			found++
			wasFresh := !r.at.IsZero() && last.at.Sub(r.at) <= downTime
			ended = ended || wasFresh && !r.isFresh(now, downTime)
		}
	}
	s.last = reading{now, found}
	s.mu.Unlock()
	if found == 0 && last.found == 0 {
		return false
	}
	newest := newestBeat(replies, now)
	return s.fresh.Suspicious(newest, now.Sub(newest), func() bool { return ended || found < last.found })
}

// renew closes the idle connections now, and those in use after their work.
func (s *server) renew() {
	s.mu.Lock()
	s.renewed = time.Now()
	s.mu.Unlock()
	s.dropIdle()
}

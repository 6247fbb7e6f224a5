package collector

import (
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/collector/tracker"
)

// awaitedFor is for how long after a member's last proof of life the other members on its host are awaited. Within this time each of them has
// reported or is late, because no member can be suspected that reports more rarely than this.
const awaitedFor = 2 * time.Minute

// awaitedHosts are the hosts on which a member has just died or is suspected, by source. Such a host is down from the instant on at which
// the last of its other members is late, so sources are polled at these instants: see source.again.
type awaitedHosts struct {
	mu       sync.Mutex
	bySource map[string]awaited
}

// awaited are the hosts of one source.
type awaited struct {
	hosts []string
	wake  chan<- struct{} // tells the source that the hosts of another have changed
}

// set sets the hosts of a source, and wakes all others if they have changed.
func (u *awaitedHosts) set(source string, of awaited) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bySource == nil {
		u.bySource = make(map[string]awaited)
	}
	before := u.bySource[source]
	u.bySource[source] = of
	if slices.Equal(before.hosts, of.hosts) {
		return
	}
	for name, other := range u.bySource {
		if name != source {
			signal(other.wake)
		}
	}
}

// remove removes a source that is no longer read.
func (u *awaitedHosts) remove(source string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.bySource, source)
}

// all returns the hosts of all sources.
func (u *awaitedHosts) all() map[string]bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	var all map[string]bool
	for _, of := range u.bySource {
		for _, host := range of.hosts {
			if all == nil {
				all = make(map[string]bool)
			}
			all[host] = true
		}
	}
	return all
}

// noteAwaited sets the source's awaited hosts.
func (s *source) noteAwaited(now tracker.Instant) {
	of := awaited{wake: s.wake}
	for _, decisions := range [][]*tracker.Decision{s.tracker.Decisions(), s.tracker.Suspicions()} {
		for _, d := range decisions {
			if !d.Lasts() || now.Wall.Sub(d.Since) > awaitedFor {
				continue
			}
			if host := s.cfg.Naming.Host(d.Name); host != "" {
				of.hosts = append(of.hosts, host)
			}
		}
	}
	s.env.awaited.set(s.cfg.Name, of)
}

// nextLate returns when the next member on a host that is awaited is late, if it does not report until then. It is zero if there is none.
func (s *source) nextLate() (next tracker.Instant) {
	hosts := s.env.awaited.all()
	if len(hosts) == 0 || s.closed {
		return tracker.Instant{}
	}
	for _, m := range s.shown.Load().members {
		if !hosts[m.host] {
			continue
		}
		if at, ok := s.tracker.LateAt(m.member); ok && (next.IsZero() || at.Sub(next) < 0) {
			next = at
		}
	}
	return next
}

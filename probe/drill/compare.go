package drill

import (
	"cmp"
	"slices"
	"time"
)

// A history is what really happened to a member: the spans in which it lived, oldest first. Between two spans it was dead.
type history struct {
	member   string
	scenario scenario
	spans    []span
}

// A span is a period in which a member lived.
type span struct {
	from  time.Time
	until time.Time // zero: until the end of the drill
}

// A comparison compares what happened with what polls saw. Its terms are from Chen, Toueg and Aguilera, On the Quality of
// Service of Failure Detectors, IEEE Transactions on Computers 51(5), May 2002: a mistake is a live member that is reported
// dead after it was seen up.
type comparison struct {
	seen         observations
	end          time.Time     // of the drill
	downTime     time.Duration // shorter deaths need not be detected
	pollInterval time.Duration

	deaths     []death
	mistakes   []mistake
	liveTime   time.Duration // for which members lived after they were first seen up
	unmeasured int           // deaths that ended before they had to be detected, or began before the member was seen up
}

// A death is a period in which a member was dead.
type death struct {
	member   string
	scenario scenario
	at       time.Time
	// detected is when polls saw the death, zero if they did not.
	detected time.Time
	// returned is when the member returned, zero if it did not. seenUp is when polls saw the return.
	returned, seenUp time.Time
	// reported is the detection latency that this program reported.
	reported    time.Duration
	hasReported bool
}

// A mistake is a period in which a live member was reported dead.
type mistake struct {
	member   string
	scenario scenario
	at       time.Time
	duration time.Duration // negative while the mistake lasts
}

// pollLag returns how long after its return a member may still be seen dead, by a poll that had begun before.
func (c *comparison) pollLag() time.Duration { return c.seen.longest }

// undetectable returns how long a death may last without being detected.
func (c *comparison) undetectable() time.Duration {
	return c.downTime*3/2 + 2*c.pollInterval + c.pollLag()
}

// compareAll compares the histories of all members with what polls saw.
func (c *comparison) compareAll(histories []history) {
	for i := range histories {
		c.compare(&histories[i])
	}
	slices.SortFunc(c.deaths, func(a, b death) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.member, b.member))
	})
	slices.SortFunc(c.mistakes, func(a, b mistake) int { return a.at.Compare(b.at) })
}

func (c *comparison) compare(h *history) {
	seen := c.seen.byMember[h.member]
	up := false // the state that polls last saw
	for i, s := range h.spans {
		toEnd := s.until.IsZero() || s.until.After(c.end)
		if toEnd {
			s.until = c.end
		}
		up, seen = c.compareLife(h, s.from, s.until, up, seen)
		if toEnd {
			return
		}
		var returned time.Time
		if i+1 < len(h.spans) && h.spans[i+1].from.Before(c.end) {
			returned = h.spans[i+1].from
		}
		up, seen = c.compareDeath(h, s.until, returned, up, seen)
		if returned.IsZero() {
			return
		}
	}
}

// compareLife goes through the observations of a member from its return to its death. up is the state that polls saw last.
// compareLife returns that state at the death, and the later observations.
func (c *comparison) compareLife(h *history, from, until time.Time, up bool, seen []observation) (bool, []observation) {
	since := from // the time up to which liveTime is counted
	for len(seen) > 0 && seen[0].at.Before(until) {
		s := seen[0]
		seen = seen[1:]
		switch {
		case s.up == up:
			continue
		case s.up:
			if m := c.openMistake(h.member); m != nil {
				m.duration = s.at.Sub(m.at)
				c.liveTime += s.at.Sub(since)
			}
			c.recordRecovery(h.member, from, s.at)
		default:
			c.liveTime += s.at.Sub(since)
			c.mistakes = append(c.mistakes, mistake{member: h.member, scenario: h.scenario, at: s.at, duration: -1})
		}
		up, since = s.up, s.at
	}
	m := c.openMistake(h.member)
	if m != nil {
		m.duration = until.Sub(m.at)
	}
	if up || m != nil {
		c.liveTime += until.Sub(since)
	}
	return up, seen
}

// openMistake returns the mistake about a member that has not ended yet, or nil.
func (c *comparison) openMistake(member string) *mistake {
	if n := len(c.mistakes); n > 0 && c.mistakes[n-1].member == member && c.mistakes[n-1].duration < 0 {
		return &c.mistakes[n-1]
	}
	return nil
}

// recordRecovery records when polls first saw a member up after its return.
func (c *comparison) recordRecovery(member string, returned, at time.Time) {
	if len(c.deaths) == 0 {
		return
	}
	if d := &c.deaths[len(c.deaths)-1]; d.member == member && d.returned.Equal(returned) && d.seenUp.IsZero() {
		d.seenUp = at
	}
}

// compareDeath goes through the observations of a member from its death to its return, like compareLife.
func (c *comparison) compareDeath(h *history, at, returned time.Time, up bool, seen []observation) (bool, []observation) {
	d := death{member: h.member, scenario: h.scenario, at: at, returned: returned}
	end := c.end
	if !returned.IsZero() {
		end = returned.Add(c.pollLag())
	}
	for up && len(seen) > 0 && seen[0].at.Before(end) {
		s := seen[0]
		if s.up && !returned.IsZero() && s.at.After(returned) {
			break // The member has returned, and its death was not detected.
		}
		seen = seen[1:]
		if !s.up {
			up = false
			d.detected, d.reported, d.hasReported = s.at, s.reported, s.hasReported
		}
	}
	if d.detected.IsZero() && (!up || end.Sub(at) < c.undetectable()) {
		c.unmeasured++
	} else {
		c.deaths = append(c.deaths, d)
	}
	return up, seen
}

// mistakeTime returns for how long live members were reported dead.
func (c *comparison) mistakeTime() time.Duration {
	var sum time.Duration
	for _, m := range c.mistakes {
		sum += m.duration
	}
	return sum
}

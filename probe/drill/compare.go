package drill

import (
	"cmp"
	"slices"
	"time"
)

// A life is what really happened to a member: the times in which it lived, in order. Between two of them it was dead.
type life struct {
	member string
	fate   fate
	spans  []span
}

// A span is a time in which a member lived.
type span struct {
	from  time.Time
	until time.Time // zero: to the end of the drill
}

// A judge compares what happened with what was seen. Times are those of Chen, Toueg and Aguilera, On the Quality of Service
// of Failure Detectors, IEEE Transactions on Computers 51(5), May 2002: a mistake is a live member that is called dead after
// it was known to live.
type judge struct {
	seen     record
	end      time.Time     // of the drill
	downTime time.Duration // deaths that are shorter need not be noticed
	poll     time.Duration // between polls

	deaths     []death
	mistakes   []mistake
	trusted    time.Duration // for how long members lived after they were first seen to
	unmeasured int           // deaths that ended before anybody had to notice, or began before the member was seen to live
}

// A death is a time in which a member was dead.
type death struct {
	member string
	fate   fate
	at     time.Time
	// seen is when it was noticed, zero if it was not.
	seen time.Time
	// returned is when it ended, zero if it did not; back is when that was noticed.
	returned, back time.Time
	reported       time.Duration
	hasReported    bool
}

// A mistake is a time in which a live member was called dead.
type mistake struct {
	member   string
	fate     fate
	at       time.Time
	duration time.Duration
}

// lag is how long after a return a member may still be seen dead, by a poll that was under way.
func (j *judge) lag() time.Duration { return j.seen.longest }

// hidden is how long a death may last without being noticed.
func (j *judge) hidden() time.Duration { return j.downTime*3/2 + 2*j.poll + j.lag() }

// judgeAll compares all lives.
func (j *judge) judgeAll(lives []life) {
	for i := range lives {
		j.judge(&lives[i])
	}
	slices.SortFunc(j.deaths, func(a, b death) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.member, b.member))
	})
	slices.SortFunc(j.mistakes, func(a, b mistake) int { return a.at.Compare(b.at) })
}

func (j *judge) judge(l *life) {
	sights := j.seen.sights[l.member]
	trusts := false // what was thought of the member when the span began
	for i, s := range l.spans {
		lives := s.until.IsZero() || s.until.After(j.end) // to the end
		if lives {
			s.until = j.end
		}
		trusts, sights = j.live(l, s.from, s.until, trusts, sights)
		if lives {
			return
		}
		var next time.Time // when it lives again
		if i+1 < len(l.spans) && l.spans[i+1].from.Before(j.end) {
			next = l.spans[i+1].from
		}
		trusts, sights = j.die(l, s.until, next, trusts, sights)
		if next.IsZero() {
			return
		}
	}
}

// live goes through what was seen of a member from its return to its death. It gives what was thought at the end, and what
// was seen after that.
func (j *judge) live(l *life, from, until time.Time, trusts bool, sights []sight) (bool, []sight) {
	since := from // when it was last known to live, or to be dead
	for len(sights) > 0 && sights[0].at.Before(until) {
		s := sights[0]
		sights = sights[1:]
		switch {
		case s.up == trusts:
			continue
		case s.up:
			if open := j.open(l.member); open != nil {
				open.duration = s.at.Sub(open.at)
				j.trusted += s.at.Sub(since)
			}
			j.welcome(l.member, from, s.at)
		default:
			j.trusted += s.at.Sub(since)
			j.mistakes = append(j.mistakes, mistake{member: l.member, fate: l.fate, at: s.at, duration: -1})
		}
		trusts, since = s.up, s.at
	}
	open := j.open(l.member)
	if open != nil {
		open.duration = until.Sub(open.at)
	}
	if trusts || open != nil {
		j.trusted += until.Sub(since)
	}
	return trusts, sights
}

// open gives the mistake about a member that has no end yet, or nil.
func (j *judge) open(member string) *mistake {
	if n := len(j.mistakes); n > 0 && j.mistakes[n-1].member == member && j.mistakes[n-1].duration < 0 {
		return &j.mistakes[n-1]
	}
	return nil
}

// welcome notes when a member was first seen after a death that it returned from at a moment.
func (j *judge) welcome(member string, returned, at time.Time) {
	if n := len(j.deaths); n > 0 && j.deaths[n-1].member == member && j.deaths[n-1].returned.Equal(returned) && j.deaths[n-1].back.IsZero() {
		j.deaths[n-1].back = at
	}
}

// die goes through what was seen of a member from its death to its return.
func (j *judge) die(l *life, at, returned time.Time, trusts bool, sights []sight) (bool, []sight) {
	d := death{member: l.member, fate: l.fate, at: at, returned: returned}
	end := j.end
	if !returned.IsZero() {
		end = returned.Add(j.lag())
	}
	for trusts && len(sights) > 0 && sights[0].at.Before(end) {
		s := sights[0]
		if s.up && !returned.IsZero() && s.at.After(returned) {
			break // It is back, and nobody noticed that it had been away.
		}
		sights = sights[1:]
		if !s.up {
			trusts = false
			d.seen, d.reported, d.hasReported = s.at, s.reported, s.hasReported
		}
	}
	switch missed := d.seen.IsZero(); {
	case missed && (!trusts || end.Sub(at) < j.hidden()):
		j.unmeasured++
	default:
		j.deaths = append(j.deaths, d)
	}
	return trusts, sights
}

// wrong is for how long live members were called dead.
func (j *judge) wrong() time.Duration {
	var sum time.Duration
	for _, m := range j.mistakes {
		sum += m.duration
	}
	return sum
}

package mc

import (
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A member with a fresh heartbeat on any server is up. A member without one need not be down: memcached drops items, and
// only the member's own client knows which of several servers has its key; the client uses another server while it can't
// reach the first one.
//
// A member's home is the servers that had its newest heartbeat when all servers could be read. The member is down if one
// of these can be read now, has kept its data for long enough (see [Driver.settling]), and shows that the heartbeats
// stopped. Without such a server the member is unknown.

// A serverSet is a set of servers, by their index in the configuration.
type serverSet uint64

func only(i int) serverSet { return 1 << i }

// A verdict is what a poll decides about a member.
type verdict uint8

const (
	up verdict = iota
	down
	unknown
	unreadable // there is a value, but it is not a heartbeat that can be read
)

// replies sums up what all servers have of one member.
type replies struct {
	has     serverSet  // servers with a heartbeat
	newest  storedBeat // of all servers
	with    serverSet  // servers with the newest heartbeat
	invalid serverSet  // servers with a value that is not a heartbeat
}

// add adds the heartbeat that a server has.
func (r *replies) add(i int, beat storedBeat) {
	switch later := beat.at.Compare(r.newest.at); {
	case r.has == 0 || later > 0:
		r.newest, r.with = beat, only(i)
	case later == 0:
		r.with |= only(i)
	}
	r.has |= only(i)
}

// A pollContext is the part of a poll that is the same for all members.
type pollContext struct {
	now         time.Time
	downTime    time.Duration
	unreachable serverSet // servers that could not be read
	emptied     serverSet // servers that lost their data so recently that members need not have written again
}

// lastSeen is the last proof of life of a member that any poll read.
type lastSeen struct {
	// at is the time that the member wrote, or the time of the poll if the member's clock is ahead; zero if the heartbeat
	// has no time.
	at time.Time
	// home is the servers that had the newest heartbeat in the last poll that read all servers; empty before the first.
	home serverSet
}

// verdict decides whether a member is up, and updates its last proof of life.
func (p *pollContext) verdict(r *replies, last *lastSeen) verdict {
	switch {
	case r.has != 0 && r.newest.isFresh(p.now, p.downTime):
		p.update(r, last)
		return up
	case r.invalid != 0:
		return unreadable
	case !p.canTell(last.home):
		return unknown
	case r.has&last.home == 0 && !last.at.IsZero() && (storedBeat{last.at}).isFresh(p.now, p.downTime):
		return unknown // The heartbeat vanished while it was fresh: the server dropped it to make room.
	default:
		return down
	}
}

// canTell reports whether a server could be read whose data proves that the member is down. For a member without a home
// that takes all servers.
func (p *pollContext) canTell(home serverSet) bool {
	useless := p.unreachable | p.emptied
	if home == 0 {
		return useless == 0
	}
	return home&^useless != 0
}

func (p *pollContext) update(r *replies, last *lastSeen) {
	at := r.newest.at
	if at.After(p.now) {
		at = p.now
	}
	if at.After(last.at) {
		last.at = at
	}
	if p.unreachable|p.emptied == 0 {
		last.home = r.with
	}
}

// verdicts decides about the members of the roster, and remembers the last proof of life of each of them between polls.
type verdicts struct {
	mu   sync.Mutex
	last map[drivers.Key]*lastSeen
}

// decide returns the verdicts about all members. Members and replies have the same order.
func (v *verdicts) decide(p *pollContext, members []drivers.Key, all []replies) []verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	decided := make([]verdict, len(members))
	next := make(map[drivers.Key]*lastSeen, len(members))
	for i, member := range members {
		last := v.last[member]
		if last == nil {
			last = &lastSeen{}
		}
		decided[i] = p.verdict(&all[i], last)
		next[member] = last
	}
	v.last = next
	return decided
}

// byMember sums up the servers' answers for each member.
func byMember(answers []answer, members int) []replies {
	all := make([]replies, members)
	for i := range answers {
		if answers[i].err != nil {
			continue
		}
		for m, r := range answers[i].replies {
			switch {
			case r.invalid:
				all[m].invalid |= only(i)
			case r.found:
				all[m].add(i, r.storedBeat)
			}
		}
	}
	return all
}

// newPollContext returns the context of a poll at a time in which the servers gave the answers.
func newPollContext(now time.Time, downTime time.Duration, answers []answer) *pollContext {
	p := &pollContext{now: now, downTime: downTime}
	for i := range answers {
		if answers[i].err != nil {
			p.unreachable |= only(i)
		} else if answers[i].emptied {
			p.emptied |= only(i)
		}
	}
	return p
}

package mc

import (
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// Whoever has a fresh heartbeat on any server is up. Whoever has none is not therefore dead: memcached forgets, and which
// of several servers has a member's key only the members' own client knows, which moves it to another server when it
// can't reach the one. A member is down when a server that was seen to have its heartbeat when all could be asked (its
// home) can be asked now, has been remembering for long enough, and shows that the member fell silent. As long as there is
// no such server, it is unknown.

// A set is a set of servers, by their number in the configuration.
type set uint64

func only(i int) set { return 1 << i }

// A verdict is what a poll makes of a member.
type verdict uint8

const (
	up verdict = iota
	down
	unknown
	unreadable // there is a heartbeat, but nobody can read it
)

// A testimony is what all servers together say of one member.
type testimony struct {
	has    set      // who has a heartbeat
	newest sighting // of all
	with   set      // who has the newest
	odd    set      // who has something that is none
}

// add takes in the heartbeat that a server has.
func (t *testimony) add(i int, s sighting) {
	switch later := s.at.Compare(t.newest.at); {
	case t.has == 0 || later > 0:
		t.newest, t.with = s, only(i)
	case later == 0:
		t.with |= only(i)
	}
	t.has |= only(i)
}

// A hearing is one poll, as far as it is the same for all members.
type hearing struct {
	now      time.Time
	downTime time.Duration
	mute     set // who could not be asked
	blank    set // who has forgotten everything, so recently that members need not have written again
}

// A proof is the last proof of life of a member that any poll saw.
type proof struct {
	// at is when the member wrote it, or when it was seen if its clock is ahead; zero where it does not say.
	at time.Time
	// home is where it was, when all servers could be asked; empty until then.
	home set
}

// judge decides about a member, and keeps its last proof of life.
func (h *hearing) judge(t *testimony, p *proof) verdict {
	switch {
	case t.has != 0 && t.newest.live(h.now, h.downTime):
		h.keep(t, p)
		return up
	case t.odd != 0:
		return unreadable
	case !h.heard(p.home):
		return unknown
	case t.has&p.home == 0 && !p.at.IsZero() && (sighting{p.at}).live(h.now, h.downTime):
		return unknown // The heartbeat vanished while it was still good: the server dropped it to make room.
	default:
		return down
	}
}

// heard says whether somebody could be asked who knows, which before anything is known is everybody.
func (h *hearing) heard(home set) bool {
	useless := h.mute | h.blank
	if home == 0 {
		return useless == 0
	}
	return home&^useless != 0
}

func (h *hearing) keep(t *testimony, p *proof) {
	at := t.newest.at
	if at.After(h.now) {
		at = h.now
	}
	if at.After(p.at) {
		p.at = at
	}
	if h.mute|h.blank == 0 {
		p.home = t.with
	}
}

// proofs are the proofs of life of all members of the roster.
type proofs struct {
	mu sync.Mutex
	of map[drivers.Key]*proof
}

// judgeAll decides about all members, whose keys and testimonies are in the same order.
func (p *proofs) judgeAll(h *hearing, members []drivers.Key, testimonies []testimony) []verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	verdicts := make([]verdict, len(members))
	kept := make(map[drivers.Key]*proof, len(members))
	for i, member := range members {
		last := p.of[member]
		if last == nil {
			last = &proof{}
		}
		verdicts[i] = h.judge(&testimonies[i], last)
		kept[member] = last
	}
	p.of = kept
	return verdicts
}

// hear sums up what the servers said about each member.
func hear(answers []answer, members int) []testimony {
	testimonies := make([]testimony, members)
	for i := range answers {
		if answers[i].err != nil {
			continue
		}
		for m, w := range answers[i].words {
			switch {
			case w.odd:
				testimonies[m].odd |= only(i)
			case w.there:
				testimonies[m].add(i, w.sighting)
			}
		}
	}
	return testimonies
}

// newHearing is the poll of a time in which the servers gave the answers.
func newHearing(now time.Time, downTime time.Duration, answers []answer) *hearing {
	h := &hearing{now: now, downTime: downTime}
	for i := range answers {
		if answers[i].err != nil {
			h.mute |= only(i)
		} else if answers[i].blank {
			h.blank |= only(i)
		}
	}
	return h
}

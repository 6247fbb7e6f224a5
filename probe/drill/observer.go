package drill

import (
	"context"
	"sync"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/probe"
)

// A sight is a change of a member's state that a poll brought to light.
type sight struct {
	at time.Time
	up bool
	// reported is the detection latency that the program reports for a death.
	reported    time.Duration
	hasReported bool
}

// An outage is a time in which the source could not be read.
type outage struct{ from, to time.Time }

// eyes keep what polls see of every member.
type eyes struct {
	observer *probe.Observer
	group    string

	mu      sync.Mutex
	seen    map[string][]sight // by member, in the order of time
	news    chan struct{}      // closed when there is more
	outages []outage           // the last one has no end while it lasts
	longest time.Duration      // of all polls
}

func newEyes(observer *probe.Observer, group string) *eyes {
	return &eyes{
		observer: observer, group: group,
		seen: make(map[string][]sight), news: make(chan struct{}),
	}
}

// watch takes in events until there are no more.
func (e *eyes) watch() {
	for event := range e.observer.Events() {
		e.take(&event, e.observer.Snapshot().PollDuration)
	}
}

func (e *eyes) take(event *collector.Event, poll time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.longest = max(e.longest, poll)
	switch event.Type {
	case collector.EventSourceLost:
		e.outages = append(e.outages, outage{from: event.Time})
	case collector.EventSourceBack:
		if n := len(e.outages); n > 0 {
			e.outages[n-1].to = event.Time
		}
	case collector.EventJoin, collector.EventRecovery:
		e.add(event, sight{at: event.Time, up: event.Member.Up})
	case collector.EventDeath:
		e.add(event, sight{at: event.Time, reported: event.Latency, hasReported: event.HasLatency})
	default: // Nobody forces drilled members down, and none is forgotten so soon.
	}
}

func (e *eyes) add(event *collector.Event, s sight) {
	if event.Member.Group != e.group {
		return
	}
	e.seen[event.Member.Name] = append(e.seen[event.Member.Name], s)
	close(e.news)
	e.news = make(chan struct{})
}

// find gives the first sight of a member in a state that came after a moment.
func (e *eyes) find(member string, up bool, after time.Time) (sight, bool, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.seen[member] {
		if s.up == up && s.at.After(after) {
			return s, true, nil
		}
	}
	return sight{}, false, e.news
}

// wait waits until a member is seen in a state, after a moment and for so long. It says whether it was.
func (e *eyes) wait(ctx context.Context, member string, up bool, after time.Time, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		_, found, news := e.find(member, up, after)
		if found {
			return true
		}
		select {
		case <-news:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// look counts the members that were not seen up yet. Of those that the source did not know at all, no event tells when
// they are first seen, but the snapshot does.
func (e *eyes) look(members []string) (unseen int) {
	up := map[string]time.Time{}
	for _, m := range e.observer.Snapshot().Members {
		if m.Group == e.group && m.State == collector.Up {
			up[m.Name] = m.Since
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range members {
		since, seen := up[name]
		switch {
		case len(e.seen[name]) > 0:
		case seen:
			e.seen[name] = []sight{{at: since, up: true}}
		default:
			unseen++
		}
	}
	return unseen
}

// what gives everything that was seen so far.
func (e *eyes) what() record {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := record{sights: make(map[string][]sight, len(e.seen)), longest: e.longest}
	for name, all := range e.seen {
		r.sights[name] = append([]sight(nil), all...)
	}
	r.outages = append(r.outages, e.outages...)
	return r
}

// A record is what was seen.
type record struct {
	sights  map[string][]sight
	outages []outage
	longest time.Duration // of all polls
}

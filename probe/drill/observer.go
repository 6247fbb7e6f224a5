package drill

import (
	"context"
	"sync"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/probe"
)

// An observation is a change of a member's state that a poll found.
type observation struct {
	at time.Time
	up bool
	// reported is the detection latency that this program reports for a death.
	reported    time.Duration
	hasReported bool
}

// An outage is a period in which the source could not be read.
type outage struct{ from, to time.Time }

// An observer collects what polls see of every member.
type observer struct {
	polls *probe.Observer
	group string

	mu      sync.Mutex
	seen    map[string][]observation // by member, oldest first
	changed chan struct{}            // closed at the next observation
	outages []outage                 // the last one has no end while it lasts
	longest time.Duration            // duration of the longest poll

	seenDown int // deaths that polls have seen
}

func newObserver(polls *probe.Observer, group string) *observer {
	return &observer{
		polls: polls, group: group,
		seen: make(map[string][]observation), changed: make(chan struct{}),
	}
}

// watch handles events until the channel is closed.
func (o *observer) watch() {
	for event := range o.polls.Events() {
		o.handle(&event, o.polls.Snapshot().PollDuration)
	}
}

func (o *observer) handle(event *collector.Event, poll time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.longest = max(o.longest, poll)
	switch event.Type {
	case collector.EventSourceLost:
		o.outages = append(o.outages, outage{from: event.Time})
	case collector.EventSourceBack:
		if n := len(o.outages); n > 0 {
			o.outages[n-1].to = event.Time
		}
	case collector.EventJoin, collector.EventRecovery:
		o.add(event, observation{at: event.Time, up: event.Member.Up})
	case collector.EventDeath:
		o.seenDown++
		o.add(event, observation{at: event.Time, reported: event.Latency, hasReported: event.HasLatency})
	default: // Simulated members are not forced down, and a drill ends before they are forgotten.
	}
}

func (o *observer) add(event *collector.Event, seen observation) {
	if event.Member.Group != o.group {
		return
	}
	o.seen[event.Member.Name] = append(o.seen[event.Member.Name], seen)
	close(o.changed)
	o.changed = make(chan struct{})
}

// find reports whether the member was seen in the state after the given time. If not, it returns a channel that is closed at
// the next observation.
func (o *observer) find(member string, up bool, after time.Time) (bool, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.seen[member] {
		if s.up == up && s.at.After(after) {
			return true, nil
		}
	}
	return false, o.changed
}

// waitFor waits until a poll sees the member in the state, after the given time. It gives up when the limit has passed or
// ctx ends.
func (o *observer) waitFor(ctx context.Context, member string, up bool, after time.Time, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		found, changed := o.find(member, up, after)
		if found {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// countUnseen returns how many of the members have not been seen up yet. It reads the snapshot too: a member whose state was
// unknown in its first poll is later seen up without an event.
func (o *observer) countUnseen(members []string) (unseen int) {
	up := map[string]time.Time{}
	for _, m := range o.polls.Snapshot().Members {
		if m.Group == o.group && m.State == collector.Up {
			up[m.Name] = m.Since
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range members {
		since, isUp := up[name]
		switch {
		case len(o.seen[name]) > 0:
		case isUp:
			o.seen[name] = []observation{{at: since, up: true}}
		default:
			unseen++
		}
	}
	return unseen
}

// deaths returns how many deaths polls have seen.
func (o *observer) deaths() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seenDown
}

// observations returns a copy of everything that was seen so far.
func (o *observer) observations() observations {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := observations{byMember: make(map[string][]observation, len(o.seen)), longest: o.longest}
	for name, seen := range o.seen {
		all.byMember[name] = append([]observation(nil), seen...)
	}
	all.outages = append(all.outages, o.outages...)
	return all
}

// observations are everything that polls saw.
type observations struct {
	byMember map[string][]observation
	outages  []outage
	longest  time.Duration // duration of the longest poll
}

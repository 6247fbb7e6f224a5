package api

import (
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/collector"
)

// How many events are kept: the newest of all, the newest of each member, and of all members together. The members that
// nothing was heard of for longest lose theirs first.
const (
	keepNewest  = 1000
	keepMember  = 50
	keepMembers = 20000
)

// eventBuffer is how many events may come at once, as when a whole source dies, without one being lost.
const eventBuffer = 10000

// A History keeps the newest events of this process, and wakes those who wait for more.
type History struct {
	incoming    <-chan collector.Event
	unsubscribe func()
	ended       chan struct{} // closed when Run ends

	mu      sync.Mutex
	lastID  int64
	recent  []*Event // oldest first, at most keepNewest
	members map[filter]*list.Element
	heard   *list.List    // of *past, the member last heard of in front
	kept    int           // events in all of them
	more    chan struct{} // closed and replaced when there are more events
}

// A past is what happened to one member.
type past struct {
	member filter
	events []*Event // oldest first, at most keepMember
}

// Events is where events come from. The function ends the subscription and closes the channel.
type Events interface {
	Subscribe(buffer int) (<-chan collector.Event, func())
}

// NewHistory makes a history that has the events from now on, once it runs.
func NewHistory(events Events) *History {
	incoming, unsubscribe := events.Subscribe(eventBuffer)
	return &History{
		incoming: incoming, unsubscribe: unsubscribe, ended: make(chan struct{}),
		// A process can't have had as many events as it has lived microseconds, so that the next one goes on above.
		lastID:  time.Now().UnixMicro(),
		members: make(map[filter]*list.Element), heard: list.New(),
		more: make(chan struct{}),
	}
}

// Run takes events in until ctx or their source ends. Streams end with it. It can be called only once.
func (h *History) Run(ctx context.Context) error {
	defer close(h.ended)
	defer h.unsubscribe()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-h.incoming:
			if !ok {
				return nil
			}
			h.add(&e)
		}
	}
}

func (h *History) add(e *collector.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastID++
	event := newEvent(h.lastID, e)
	h.recent = append(h.recent, event)
	if len(h.recent) > keepNewest {
		h.recent = slices.Delete(h.recent, 0, 1)
	}
	if event.Member != "" {
		h.remember(event)
	}
	close(h.more)
	h.more = make(chan struct{})
}

// remember puts an event into its member's past. The caller holds the lock.
func (h *History) remember(e *Event) {
	key := filter{e.Source, e.Group, e.Member}
	element := h.members[key]
	if element == nil {
		element = h.heard.PushFront(&past{member: key})
		h.members[key] = element
	}
	h.heard.MoveToFront(element)
	p := element.Value.(*past)
	p.events = append(p.events, e)
	h.kept++
	if len(p.events) > keepMember {
		p.events = slices.Delete(p.events, 0, 1)
		h.kept--
	}
	for h.kept > keepMembers {
		oldest := h.heard.Remove(h.heard.Back()).(*past)
		delete(h.members, oldest.member)
		h.kept -= len(oldest.events)
	}
}

// last gives the ID of the newest event.
func (h *History) last() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastID
}

// newest gives the events that a filter wants and that came after the one with that ID, newest first.
func (h *History) newest(f filter, after int64) []*Event {
	events, _, _ := h.since(f, after)
	slices.Reverse(events)
	return events
}

// since gives the events that a filter wants and that came after the one with that ID, oldest first, with the ID of the
// newest event and a channel that is closed when there are more. An ID that was never given, as by a process whose clock
// was ahead, gives all.
func (h *History) since(f filter, after int64) (events []*Event, last int64, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if after > h.lastID {
		after = 0
	}
	events = []*Event{}
	for _, e := range h.candidates(f, after) {
		if f.wants(e) {
			events = append(events, e)
		}
	}
	return events, h.lastID, h.more
}

// candidates gives the events after one, oldest first: the recent ones, or, where they don't go back so far and members
// are asked for, what is known of the members of that name. The caller holds the lock.
func (h *History) candidates(f filter, after int64) []*Event {
	if f.member == "" || after >= h.lastID-int64(len(h.recent)) {
		i, _ := slices.BinarySearchFunc(h.recent, after+1, byID)
		return h.recent[i:]
	}
	var events []*Event
	for element := h.heard.Front(); element != nil; element = element.Next() {
		if p := element.Value.(*past); p.member.member == f.member {
			i, _ := slices.BinarySearchFunc(p.events, after+1, byID)
			events = append(events, p.events[i:]...)
		}
	}
	slices.SortFunc(events, func(a, b *Event) int { return byID(a, b.ID) })
	return events
}

func byID(e *Event, id int64) int { return cmp.Compare(e.ID, id) }

package api

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"servicegroup_exporter/collector"
)

const (
	// keepEvents is how many events the history keeps: the newest of all members and sources. It is enough for the death
	// and the recovery of as many members as eventBuffer.
	keepEvents = 20000
	// eventBuffer is how many events may come at once without a loss, for example when a whole source dies.
	eventBuffer = 10000
)

// A History keeps the newest events in memory, and wakes the streams that wait for more.
type History struct {
	source      Events
	incoming    <-chan collector.Event
	unsubscribe func()
	ended       chan struct{} // closed when Run ends

	mu     sync.Mutex
	events []*Event      // of this process, oldest first; the newest keepEvents of them count
	more   chan struct{} // closed and replaced when there are more events
}

// Events is where events come from.
type Events interface {
	// Subscribe returns the events from now on. The function ends the subscription and closes the channel.
	Subscribe(buffer int) (<-chan collector.Event, func())
	// PastEvents returns the events of earlier processes that have a greater ID, oldest first.
	PastEvents(after int64) []collector.Event
	// LastPastID returns the ID of the newest event of earlier processes, 0 if there is none.
	LastPastID() int64
}

// NewHistory returns a history that keeps the events from now on, once it runs.
func NewHistory(source Events) *History {
	incoming, unsubscribe := source.Subscribe(eventBuffer)
	return &History{
		source: source, incoming: incoming, unsubscribe: unsubscribe,
		ended: make(chan struct{}), more: make(chan struct{}),
	}
}

// Run receives events until ctx or the subscription ends. Streams end with it. It can be called only once.
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
	if len(h.events) >= 2*keepEvents {
		h.events = slices.Clone(h.kept())
	}
	h.events = append(h.events, newEvent(e))
	close(h.more)
	h.more = make(chan struct{})
}

func (h *History) kept() []*Event { return h.events[max(0, len(h.events)-keepEvents):] }

// last returns the ID of the newest event, 0 if there is none.
func (h *History) last() int64 {
	_, last, _ := h.since(Filter{}, 0)
	return last
}

// Newest returns at most limit events that match a filter and have a greater ID than after, newest first.
func (h *History) Newest(f Filter, after, limit int64) []*Event {
	events, _, _ := h.since(f, after)
	slices.Reverse(events)
	return events[:min(limit, int64(len(events)))]
}

// since returns the events that match a filter and have a greater ID than after, oldest first, with the ID of the newest
// event of all and a channel that is closed when there are more. If after is greater than any ID so far, as from a process
// whose state files are lost, it returns all events.
func (h *History) since(f Filter, after int64) (events []*Event, last int64, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.kept()
	last = h.source.LastPastID()
	if len(kept) > 0 {
		last = kept[len(kept)-1].ID
	}
	if after > last {
		after = 0
	}
	first, _ := slices.BinarySearchFunc(kept, after+1, func(e *Event, id int64) int { return cmp.Compare(e.ID, id) })
	events = []*Event{}
	if first == 0 && len(kept) < keepEvents { // Otherwise the events of earlier processes are too old.
		for _, e := range h.source.PastEvents(after) {
			if event := newEvent(&e); f.matches(event) {
				events = append(events, event)
			}
		}
	}
	for _, e := range kept[first:] {
		if f.matches(e) {
			events = append(events, e)
		}
	}
	return events, last, h.more
}

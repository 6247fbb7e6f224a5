package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/collector"
)

const (
	// keepEvents is how many events the history keeps: the newest of all members and sources. It is enough for the death
	// and the recovery of as many members as eventBuffer.
	keepEvents = 20000
	// eventBuffer is how many events may come at once without a loss, for example when a whole source dies.
	eventBuffer = 10000
)

// A History keeps the newest events of this process in memory, and wakes the streams that wait for more.
type History struct {
	incoming    <-chan collector.Event
	unsubscribe func()
	ended       chan struct{} // closed when Run ends

	mu     sync.Mutex
	ring   []*Event      // the event with an ID is at the index ID modulo keepEvents
	lastID int64         // of the newest event; IDs have no gaps
	count  int64         // of events in the ring
	more   chan struct{} // closed and replaced when there are more events
}

// Events is where events come from. The function ends the subscription and closes the channel.
type Events interface {
	Subscribe(buffer int) (<-chan collector.Event, func())
}

// NewHistory returns a history that keeps the events from now on, once it runs.
func NewHistory(events Events) *History {
	incoming, unsubscribe := events.Subscribe(eventBuffer)
	return &History{
		incoming: incoming, unsubscribe: unsubscribe, ended: make(chan struct{}),
		ring: make([]*Event, keepEvents),
		// A process has fewer events than it lives microseconds, so that the IDs of the next process are greater.
		lastID: time.Now().UnixMicro(),
		more:   make(chan struct{}),
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
	h.lastID++
	h.ring[h.lastID%keepEvents] = newEvent(h.lastID, e)
	h.count = min(h.count+1, keepEvents)
	close(h.more)
	h.more = make(chan struct{})
}

// last returns the ID of the newest event.
func (h *History) last() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastID
}

// newest returns at most limit events that match a filter and have a greater ID than after, newest first.
func (h *History) newest(f filter, after, limit int64) []*Event {
	events, _, _ := h.since(f, after)
	slices.Reverse(events)
	return events[:min(limit, int64(len(events)))]
}

// since returns the events that match a filter and have a greater ID than after, oldest first, with the ID of the newest
// event of all and a channel that is closed when there are more. If after is greater than any ID so far, as from a process
// whose clock was ahead, it returns all events.
func (h *History) since(f filter, after int64) (events []*Event, last int64, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if after > h.lastID {
		after = 0
	}
	events = []*Event{}
	for id := max(after, h.lastID-h.count) + 1; id <= h.lastID; id++ {
		if e := h.ring[id%keepEvents]; f.matches(e) {
			events = append(events, e)
		}
	}
	return events, h.lastID, h.more
}

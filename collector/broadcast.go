package collector

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A broadcast sends events to subscribers without ever waiting for one.
type broadcast struct {
	dropped prometheus.Counter

	mu     sync.Mutex
	began  int64 // all events of this process have a greater ID
	lastID int64 // of the last event that was sent
	subs   map[chan Event]struct{}
	closed bool
}

func newBroadcast(dropped prometheus.Counter) *broadcast {
	// A process has fewer events than it lives microseconds, so that the IDs of the next process are greater. JavaScript can
	// represent them exactly.
	now := time.Now().UnixMicro()
	return &broadcast{dropped: dropped, subs: make(map[chan Event]struct{}), began: now, lastID: now}
}

func (b *broadcast) subscribe(buffer int) (<-chan Event, func()) {
	ch := make(chan Event, max(buffer, 1))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(ch)
		return ch, func() {}
	}
	b.subs[ch] = struct{}{}
	return ch, func() { b.unsubscribe(ch) }
}

func (b *broadcast) unsubscribe(ch chan Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.subs[ch]; ok {
		delete(b.subs, ch)
		close(ch)
	}
}

// continueAfter makes the IDs of later events greater than one of an earlier process, whose clock may have been ahead. It returns the
// ID after which the events of this process begin.
func (b *broadcast) continueAfter(id int64) (began int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lastID == b.began { // None was sent yet.
		b.began = max(b.began, id)
	}
	b.lastID = max(b.lastID, id)
	return b.began
}

// send numbers events and sends them to every subscriber.
func (b *broadcast) send(events ...Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		b.lastID++
		events[i].ID = b.lastID
	}
	for ch := range b.subs {
		for _, e := range events {
			b.push(ch, e)
		}
	}
}

// push puts an event into a channel, and drops the oldest one if the channel is full. There is room then, because only
// send, with the lock, puts events into channels.
func (b *broadcast) push(ch chan Event, e Event) {
	for {
		select {
		case ch <- e:
			return
		default:
		}
		select {
		case <-ch:
			b.dropped.Inc()
		default:
		}
	}
}

// close ends all subscriptions.
func (b *broadcast) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for ch := range b.subs {
		delete(b.subs, ch)
		close(ch)
	}
}

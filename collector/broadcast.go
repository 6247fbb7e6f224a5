package collector

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// A broadcast sends events to subscribers without ever waiting for one.
type broadcast struct {
	dropped prometheus.Counter

	mu     sync.Mutex
	subs   map[chan Event]struct{}
	closed bool
}

func newBroadcast(dropped prometheus.Counter) *broadcast {
	return &broadcast{dropped: dropped, subs: make(map[chan Event]struct{})}
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

// send sends events to every subscriber.
func (b *broadcast) send(events ...Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
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

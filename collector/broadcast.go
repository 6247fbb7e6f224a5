package collector

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// A hub hands events to subscribers without ever waiting for one.
type hub struct {
	dropped prometheus.Counter

	mu     sync.Mutex
	subs   map[chan Event]struct{}
	closed bool
}

func newHub(dropped prometheus.Counter) *hub {
	return &hub{dropped: dropped, subs: make(map[chan Event]struct{})}
}

func (h *hub) subscribe(buffer int) (<-chan Event, func()) {
	ch := make(chan Event, max(buffer, 1))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(ch)
		return ch, func() {}
	}
	h.subs[ch] = struct{}{}
	return ch, func() { h.unsubscribe(ch) }
}

func (h *hub) unsubscribe(ch chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.subs[ch]; ok {
		delete(h.subs, ch)
		close(ch)
	}
}

// send gives events to every subscriber. The hub is the only sender, so there is room after one was taken out.
func (h *hub) send(events ...Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.subs {
		for _, e := range events {
			h.push(ch, e)
		}
	}
}

func (h *hub) push(ch chan Event, e Event) {
	for {
		select {
		case ch <- e:
			return
		default:
		}
		select {
		case <-ch:
			h.dropped.Inc()
		default:
		}
	}
}

// close ends all subscriptions.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.subs {
		delete(h.subs, ch)
		close(ch)
	}
}

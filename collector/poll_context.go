package collector

import (
	"context"
	"sync"
	"time"
)

// A pollContext is the context of a poll in flight. Its deadline moves when a waiter with more time joins, which contexts of the
// standard library can't do. It has no lock in common with the source, so that a driver may ask for the deadline at any time.
type pollContext struct {
	context.Context // for its values; it never ends

	done  chan struct{} // closed when the poll has to end
	timer *time.Timer

	mu       sync.Mutex
	deadline time.Time
	err      error // why done is closed
}

// newPollContext returns a context with the values of parent, but without its end.
func newPollContext(parent context.Context, deadline time.Time) *pollContext {
	c := &pollContext{Context: context.WithoutCancel(parent), done: make(chan struct{}), deadline: deadline}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(time.Until(deadline), c.expire)
	return c
}

// Deadline returns the present deadline. It never moves to an earlier time.
func (c *pollContext) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline, true
}

func (c *pollContext) Done() <-chan struct{} { return c.done }

func (c *pollContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// extend moves the deadline, unless it is later already or the context has ended.
func (c *pollContext) extend(deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && deadline.After(c.deadline) {
		c.deadline = deadline
		c.timer.Reset(time.Until(deadline))
	}
}

// expire ends the context at its deadline. It does nothing if the deadline has moved since the timer started the call.
func (c *pollContext) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !time.Now().Before(c.deadline) {
		c.end(context.DeadlineExceeded)
	}
}

// cancel ends the context.
func (c *pollContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.end(context.Canceled)
}

// end ends the context if it has not ended. The caller holds the lock.
func (c *pollContext) end(err error) {
	if c.err == nil {
		c.err = err
		close(c.done)
	}
}

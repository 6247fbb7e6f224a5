package zk

import (
	"time"

	"servicegroup_exporter/drivers/zk/session"
)

// rememberAbandoned is how long an abandoned membership's znode may be there: the longest session and the time until the
// server acts.
const rememberAbandoned = maxSessionTimeout + serverTick

// enter counts a call that may make goroutines, which closing the driver has to wait for. It fails once that has begun.
func (d *Driver) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return session.ErrClosed
	}
	d.running.Add(1)
	return nil
}

// leave ends what enter began.
func (d *Driver) leave() { d.running.Done() }

// register notes a membership, so that closing the driver ends it.
func (d *Driver) register(m *membership) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return session.ErrClosed
	}
	d.joined[m] = struct{}{}
	return nil
}

func (d *Driver) unregister(m *membership) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.joined, m)
}

// forsake notes that a membership was abandoned: its name is free, although its process lives.
func (d *Driver) forsake(m *membership) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.joined, m)
	for id, when := range d.abandoned {
		if time.Since(when) > rememberAbandoned {
			delete(d.abandoned, id)
		}
	}
	d.abandoned[m.self.ID] = time.Now()
}

func (d *Driver) wasAbandoned(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, abandoned := d.abandoned[id]
	return abandoned
}

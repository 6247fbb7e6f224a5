package drill

import (
	"net"
	"os"
	"sync"
	"time"
)

// A conn is a connection over a [network].
//
// As on a cable that is cut, data that the kernel accepted before the cut may still arrive at the server, and data that
// arrived before the cut may not be read until the network is healed.
type conn struct {
	net.Conn
	network *network

	mu          sync.Mutex
	read, write deadline
	closed      chan struct{}
	once        sync.Once
}

// A deadline is the deadline of one direction. Waiting calls are woken when it changes.
type deadline struct {
	at      time.Time
	changed chan struct{} // closed when it changes
}

func newConn(n *network, inner net.Conn) *conn {
	return &conn{
		Conn: inner, network: n, closed: make(chan struct{}),
		read: deadline{changed: make(chan struct{})}, write: deadline{changed: make(chan struct{})},
	}
}

// Read implements [net.Conn].
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.network.bytesIn.Add(uint64(n))
	if err := c.waitWhileCut(&c.read); err != nil {
		return 0, err
	}
	return n, err
}

// Write implements [net.Conn].
func (c *conn) Write(p []byte) (int, error) {
	if err := c.waitWhileCut(&c.write); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.network.sends.Add(1)
	c.network.bytesOut.Add(uint64(n))
	return n, err
}

// waitWhileCut waits while the network is cut. It returns an error if the deadline passes or the connection is closed before.
func (c *conn) waitWhileCut(d *deadline) error {
	for {
		healed := c.network.untilHealed()
		if healed == nil {
			return nil
		}
		c.mu.Lock()
		at, changed := d.at, d.changed
		c.mu.Unlock()
		if err := c.waitForChange(healed, at, changed); err != nil {
			return err
		}
	}
}

// waitForChange waits until the network is healed or the deadline changes.
func (c *conn) waitForChange(healed <-chan struct{}, at time.Time, changed <-chan struct{}) error {
	var expired <-chan time.Time
	if !at.IsZero() {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-healed:
	case <-changed:
	case <-c.closed:
		return net.ErrClosed
	case <-expired:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Close implements [net.Conn]. If the network is cut, the other side learns of it when the network is healed.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		// A read in progress ends now, even if the connection itself is closed later.
		_ = c.Conn.SetDeadline(time.Unix(1, 0)) // It fails only if the connection has ended.
		err = c.network.drop(c.Conn)
	})
	return err
}

// SetDeadline implements [net.Conn].
func (c *conn) SetDeadline(t time.Time) error {
	c.set(t, &c.read, &c.write)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements [net.Conn].
func (c *conn) SetReadDeadline(t time.Time) error {
	c.set(t, &c.read)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements [net.Conn].
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.set(t, &c.write)
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) set(t time.Time, deadlines ...*deadline) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range deadlines {
		d.at = t
		close(d.changed)
		d.changed = make(chan struct{})
	}
}

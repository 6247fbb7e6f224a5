package web

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxConns bounds the connections to one address: a hundred streams, the scrapes and answers under way, and whoever keeps a
// connection for his next request.
const maxConns = 1000

// crowdedLog is how often it is said that there are too many connections.
const crowdedLog = time.Minute

// A crowd is the connections to one address. When there are too many, the one is closed that has waited longest for a
// request: who floods the server loses his own first, and who comes to scrape is served.
type crowd struct {
	limit  int
	logger *slog.Logger

	mu      sync.Mutex
	waiting list.List // of net.Conn on which there is no request, the one that has waited longest in front
	conns   map[net.Conn]*list.Element
	said    time.Time // when it was logged last that there are too many
}

func newCrowd(limit int, logger *slog.Logger) *crowd {
	return &crowd{limit: limit, logger: logger, conns: make(map[net.Conn]*list.Element)}
}

// note is called by the server whenever the state of a connection changes, as http.Server.ConnState.
func (c *crowd) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, known := c.conns[conn]
	if !known && state != http.StateNew {
		return // It was closed here.
	}
	if place != nil {
		c.waiting.Remove(place)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.conns[conn] = c.waiting.PushBack(conn)
	case http.StateActive:
		c.conns[conn] = nil
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
	}
	if len(c.conns) > c.limit {
		c.makeRoom()
	}
}

// makeRoom closes a connection. There is one that waits, since the one that is too many has just come. The caller holds the
// lock.
func (c *crowd) makeRoom() {
	conn, _ := c.waiting.Remove(c.waiting.Front()).(net.Conn)
	delete(c.conns, conn)
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn() // A farewell could wait for a client that does not read.
	}
	_ = conn.Close() // Nothing was under way that could be lost.
	if time.Since(c.said) >= crowdedLog {
		c.said = time.Now()
		c.logger.Warn("Too many connections: those that wait longest for a request are closed", "limit", c.limit)
	}
}

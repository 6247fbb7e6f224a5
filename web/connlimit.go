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

// maxConns bounds the connections to one address: room for a hundred streams, the requests in progress, and clients that
// keep a connection for their next request.
const maxConns = 1000

// connLimitLogInterval is how often the log has a message about too many connections at most.
const connLimitLogInterval = time.Minute

// A connLimit bounds the connections to one address. When there are too many, it closes the connection that has waited
// longest for a request. A client that floods the server therefore loses its own connections first, and a scrape is served
// at once. With netutil.LimitListener instead, TestFloodOfConnections fails: the scrape waits until a connection of the
// flood times out.
type connLimit struct {
	limit  int
	logger *slog.Logger

	mu     sync.Mutex
	idle   list.List // of net.Conn without a request in progress, the one that has waited longest in front
	conns  map[net.Conn]*list.Element
	logged time.Time // when the log last had a message about too many connections
}

func newConnLimit(limit int, logger *slog.Logger) *connLimit {
	return &connLimit{limit: limit, logger: logger, conns: make(map[net.Conn]*list.Element)}
}

// connState is the hook http.Server.ConnState: the server calls it whenever the state of a connection changes.
func (c *connLimit) connState(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, known := c.conns[conn]
	if !known && state != http.StateNew {
		return // This connection was closed to make room.
	}
	if element != nil {
		c.idle.Remove(element)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.conns[conn] = c.idle.PushBack(conn)
	case http.StateActive:
		c.conns[conn] = nil
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
	}
	if len(c.conns) > c.limit {
		c.makeRoom()
	}
}

// makeRoom closes an idle connection. There is at least one, because the newest connection is idle. The caller holds the
// lock.
func (c *connLimit) makeRoom() {
	conn, _ := c.idle.Remove(c.idle.Front()).(net.Conn)
	delete(c.conns, conn)
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn() // The close message of TLS could wait for a client that does not read.
	}
	_ = conn.Close() // No request is in progress that could be lost.
	if time.Since(c.logged) >= connLimitLogInterval {
		c.logged = time.Now()
		c.logger.Warn("Too many connections, closing those that have waited longest for a request", "limit", c.limit)
	}
}

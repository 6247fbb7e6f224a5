package drill

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// A network is the connections of simulated members, or of the polls, to a backend. It counts their traffic, and it can be
// cut. While it is cut it transfers nothing, and neither side is told: no connection is refused, reset or closed.
type network struct {
	sends, bytesOut, bytesIn, dials atomic.Uint64

	mu      sync.Mutex
	healed  chan struct{} // closed when the network is healed; nil while it is not cut
	servers map[string]struct{}
	dropped []net.Conn // connections that this side closed while the network was cut; the other side learns of it later
}

// dial implements [drivers.Dialer].
func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := n.wait(ctx); err != nil {
		return nil, err
	}
	inner, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	n.dials.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers == nil {
		n.servers = make(map[string]struct{})
	}
	n.servers[inner.RemoteAddr().String()] = struct{}{}
	return newConn(n, inner), nil
}

// cut stops all traffic until heal is called.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healed == nil {
		n.healed = make(chan struct{})
	}
}

// heal ends a cut. It does nothing if the network is not cut.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healed == nil {
		return
	}
	close(n.healed)
	n.healed = nil
	for _, conn := range n.dropped {
		conn.Close()
	}
	n.dropped = nil
}

// untilHealed returns a channel that is closed when the network is healed, or nil if the network is not cut.
func (n *network) untilHealed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.healed
}

// wait waits while the network is cut. It returns an error if ctx ends before.
func (n *network) wait(ctx context.Context) error {
	for {
		healed := n.untilHealed()
		if healed == nil {
			return nil
		}
		select {
		case <-healed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drop closes a connection, or has heal close it if the network is cut.
func (n *network) drop(conn net.Conn) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healed == nil {
		return conn.Close()
	}
	n.dropped = append(n.dropped, conn)
	return nil
}

// addresses returns the addresses of the servers that were connected to.
func (n *network) addresses() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]string, 0, len(n.servers))
	for address := range n.servers {
		all = append(all, address)
	}
	return all
}

package drill

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// A network is what stands between simulated members, or whoever looks at them, and a backend: it counts what passes, and
// it can be cut. While it is cut nothing passes and nobody is told: no connection is refused, reset or closed.
type network struct {
	sends, bytesOut, bytesIn, dials atomic.Uint64

	mu      sync.Mutex
	healed  chan struct{} // closed when the network is whole again; nil while it is
	servers map[string]struct{}
	dropped []net.Conn // closed by this side while the network was cut, which the other side has yet to learn
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

// cut cuts the network.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healed == nil {
		n.healed = make(chan struct{})
	}
}

// heal makes the network whole again.
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

// wholeAgain gives what is closed when the network is whole again, nil while it is.
func (n *network) wholeAgain() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.healed
}

// wait waits until the network is whole.
func (n *network) wait(ctx context.Context) error {
	for {
		healed := n.wholeAgain()
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

// drop closes a connection of this side's, as soon as the other side can know.
func (n *network) drop(conn net.Conn) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healed == nil {
		return conn.Close()
	}
	n.dropped = append(n.dropped, conn)
	return nil
}

// addresses gives the servers that were connected to.
func (n *network) addresses() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]string, 0, len(n.servers))
	for address := range n.servers {
		all = append(all, address)
	}
	return all
}

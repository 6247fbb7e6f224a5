package mc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"servicegroup_exporter/drivers"
)

// maxAnswer bounds what is read from a server in one operation, or for one batch of keys.
const maxAnswer = 16 << 20

// forever is more than any operation may take: deadlines are those of contexts, not of the client.
const forever = time.Hour

// An address is the host and port of the one server that a client knows.
type address string

// Network implements [net.Addr].
func (address) Network() string { return "tcp" }

// String implements [net.Addr].
func (a address) String() string { return string(a) }

// PickServer implements [memcache.ServerSelector].
func (a address) PickServer(string) (net.Addr, error) { return a, nil }

// Each implements [memcache.ServerSelector].
func (a address) Each(do func(net.Addr) error) error { return do(a) }

// A link is one connection, and a client that uses it. The client knows no contexts, so that it is given a connection
// that ends with one. Only one operation may use a link at a time.
type link struct {
	*memcache.Client
	conn *boundConn
}

var errSpent = errors.New("the connection was lost")

// host is the name or address without the port.
func (a address) host() string {
	host, _, _ := net.SplitHostPort(string(a)) // It was made of the two.
	return host
}

// dial connects. The context bounds only that.
func dial(ctx context.Context, dialer drivers.Dialer, encryption *drivers.TLS, addr address) (*link, error) {
	conn, err := dialer(ctx, addr.Network(), addr.String())
	if err != nil {
		return nil, err
	}
	if conn, err = encryption.Client(ctx, conn, addr.host()); err != nil {
		return nil, err
	}
	return newLink(addr, conn), nil
}

func newLink(addr address, conn net.Conn) *link {
	l := &link{memcache.NewFromSelector(addr), &boundConn{Conn: conn}}
	l.Timeout = forever
	unused := l.conn
	l.DialContext = func(context.Context, string, string) (net.Conn, error) {
		if unused == nil {
			return nil, errSpent
		}
		conn := unused
		unused = nil
		return conn, nil
	}
	return l
}

// use runs an operation, which ends at the latest when ctx does.
func (l *link) use(ctx context.Context, op func(*link) error) error {
	deadline, _ := ctx.Deadline()
	if err := l.conn.begin(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.conn.Close() }) // What was under way fails, and says so.
	defer stop()
	return op(l)
}

// close ends the connection, whoever has it.
func (l *link) close() { _ = l.conn.Close() } // There is nothing that could be lost with it.

// A boundConn is a connection whose answers are bounded in time and size.
type boundConn struct {
	net.Conn
	guard guard
	left  int // bytes that may still be read
}

// begin sets the bounds of an operation; a zero deadline is none.
func (c *boundConn) begin(deadline time.Time) error {
	c.left, c.guard = maxAnswer, guard{}
	return c.Conn.SetDeadline(deadline)
}

// SetDeadline implements [net.Conn]. It does nothing: the client sets a new deadline for each line that it reads.
func (c *boundConn) SetDeadline(time.Time) error { return nil }

// Read implements [net.Conn].
func (c *boundConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the server's answer has more than %d bytes", maxAnswer)
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	if bad := c.guard.pass(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

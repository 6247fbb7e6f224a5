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

// maxAnswer bounds the bytes that are read from a server in one operation, or for one batch of keys.
const maxAnswer = 16 << 20

// noTimeout is longer than any operation may take: the contexts set the deadlines, not the memcache client.
const noTimeout = time.Hour

// An address is the host and port of a server. It selects this server for a memcache client.
type address string

// Network implements [net.Addr].
func (address) Network() string { return "tcp" }

// String implements [net.Addr].
func (a address) String() string { return string(a) }

// PickServer implements [memcache.ServerSelector].
func (a address) PickServer(string) (net.Addr, error) { return a, nil }

// Each implements [memcache.ServerSelector].
func (a address) Each(do func(net.Addr) error) error { return do(a) }

// host returns the name or address without the port.
func (a address) host() string {
	host, _, _ := net.SplitHostPort(string(a)) // parseServer joined the two.
	return host
}

// A client is a memcache client with exactly one connection. The library knows no contexts: its connection is closed when
// the context of an operation ends. Only one operation may use a client at a time.
type client struct {
	*memcache.Client
	conn *boundConn
	made time.Time
}

var errConnLost = errors.New("the connection was lost")

// dial connects to a server. The context bounds only the connecting.
func dial(ctx context.Context, dialer drivers.Dialer, encryption *drivers.TLS, addr address) (*client, error) {
	conn, err := dialer(ctx, addr.Network(), addr.String())
	if err != nil {
		return nil, err
	}
	if conn, err = encryption.Client(ctx, conn, addr.host()); err != nil {
		return nil, err
	}
	return newClient(addr, conn), nil
}

func newClient(addr address, conn net.Conn) *client {
	c := &client{memcache.NewFromSelector(addr), &boundConn{Conn: conn}, time.Now()}
	c.Timeout = noTimeout
	unused := c.conn
	c.DialContext = func(context.Context, string, string) (net.Conn, error) {
		if unused == nil {
			return nil, errConnLost
		}
		conn := unused
		unused = nil
		return conn, nil
	}
	return c
}

// use runs an operation, which ends at the latest when ctx does.
func (c *client) use(ctx context.Context, op func(*client) error) error {
	deadline, _ := ctx.Deadline()
	if err := c.conn.begin(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() }) // The operation then fails with an error of its own.
	defer stop()
	return op(c)
}

// close closes the connection, also under an operation that is running. Nothing is lost by an error here.
func (c *client) close() { _ = c.conn.Close() }

// getMany reads the items that exist. Each call may read maxAnswer bytes.
func (c *client) getMany(keys []string) (map[string]*memcache.Item, error) {
	c.conn.left = maxAnswer
	return c.GetMulti(keys)
}

// get reads one item. It returns nil if there is none.
func (c *client) get(key string) (*memcache.Item, error) {
	item, err := c.Get(key)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil, nil
	}
	return item, err
}

// remove deletes one item, if it exists.
func (c *client) remove(key string) error {
	if err := c.Delete(key); !errors.Is(err, memcache.ErrCacheMiss) {
		return err
	}
	return nil
}

// A boundConn is a connection whose answers are bounded in time and size.
type boundConn struct {
	net.Conn
	guard guard
	left  int // bytes that may still be read
}

// begin sets the bounds of an operation. A zero deadline means none.
func (c *boundConn) begin(deadline time.Time) error {
	c.left, c.guard = maxAnswer, guard{}
	return c.Conn.SetDeadline(deadline)
}

// SetDeadline implements [net.Conn]. It does nothing: the library would set a new deadline for each line that it reads.
func (c *boundConn) SetDeadline(time.Time) error { return nil }

// Read implements [net.Conn].
func (c *boundConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the server's answer has more than %d bytes", maxAnswer)
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	if bad := c.guard.check(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

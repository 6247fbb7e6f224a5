package zk_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// sessionTimeout is short, to keep the tests short, but long enough for a busy machine. The test servers allow less.
const sessionTimeout = 2 * time.Second

// longSession is a session timeout that no busy machine exceeds.
const longSession = time.Minute

// prompt is how long a test waits for what should happen at once, before it fails.
const prompt = time.Minute

// config returns a configuration for the servers.
func config(servers ...*testserver.ZK) zk.Config {
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
	}
	return configFor(addrs...)
}

func configFor(addrs ...string) zk.Config {
	cfg := zk.DefaultConfig()
	cfg.SessionTimeout = drivers.Duration(sessionTimeout)
	cfg.Servers = addrs
	return cfg
}

// open returns a driver that is closed when the test ends.
func open(t *testing.T, cfg zk.Config) *zk.Driver {
	t.Helper()
	d, err := zk.Open(cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// join returns a membership that is abandoned when the test ends.
func join(t *testing.T, d *zk.Driver, group, name string) drivers.Membership {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	m, err := d.Join(ctx, drivers.JoinRequest{Group: group, Name: name})
	require.NoError(t, err)
	t.Cleanup(m.Abandon)
	return m
}

// read polls with a timeout.
func read(t *testing.T, d *zk.Driver) (*drivers.Poll, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	return d.Members(ctx)
}

// withTimeout returns a context that ends after d or with the test.
func withTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// poll polls and requires success.
func poll(t *testing.T, d *zk.Driver) *drivers.Poll {
	t.Helper()
	p, err := read(t, d)
	require.NoError(t, err)
	return p
}

// states returns "up" or "down" for each member, by group/name.
func states(p *drivers.Poll) map[string]string {
	all := make(map[string]string)
	for _, m := range p.Members {
		all[m.Group+"/"+m.Name] = map[bool]string{true: "up", false: "down"}[m.Up]
	}
	return all
}

// find returns a member of a poll, and requires that the poll has it.
func find(t *testing.T, p *drivers.Poll, group, name string) drivers.Member {
	t.Helper()
	for _, m := range p.Members {
		if m.Group == group && m.Name == name {
			return m
		}
	}
	t.Fatalf("no member %s/%s in %v", group, name, states(p))
	return drivers.Member{}
}

// eventually polls until a member has the state, "" if the poll must not have it.
func eventually(t *testing.T, d *zk.Driver, within time.Duration, member, want string) {
	t.Helper()
	testserver.Eventually(t, func() bool {
		p, err := read(t, d)
		return err == nil && states(p)[member] == want
	}, within, 10*time.Millisecond, "%s is %q", member, want)
}

// requireStays polls for some time, some 200 times, and requires that each poll shows the member in the state.
func requireStays(t *testing.T, d *zk.Driver, length time.Duration, member, want string) {
	t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(length / 200) {
		require.Equal(t, want, states(poll(t, d))[member])
	}
}

// otherClient connects as another program would.
func otherClient(t *testing.T, addr string) *zkclient.Conn {
	t.Helper()
	c, _, err := zkclient.Connect([]string{addr}, longSession, zkclient.WithLogger(quiet{}))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// create creates a znode that gives all permissions to everyone, as Nova's znodes do.
func create(t *testing.T, c *zkclient.Conn, path, value string, flags int32) {
	t.Helper()
	_, err := c.Create(path, []byte(value), flags, zkclient.WorldACL(zkclient.PermAll))
	require.NoError(t, err, path)
}

// createTree creates persistent znodes from pairs of path and data.
func createTree(t *testing.T, c *zkclient.Conn, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		create(t, c, pairs[i], pairs[i+1], zkclient.FlagPersistent)
	}
}

// A proxy forwards connections to a server, and can cut or silence them.
type proxy struct {
	net.Listener
	target string

	mu     sync.Mutex
	silent bool // accept and keep connections, but forward nothing
	conns  []net.Conn
	count  int
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{Listener: l, target: target}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cut()
		serving.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.Listener.Addr().String() }

func (p *proxy) serve(c net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		c.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, c, server)
	p.count++
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.copy(c, server) })
	both.Go(func() { p.copy(server, c) })
	both.Wait()
}

func (p *proxy) copy(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if silent {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// silence makes the proxy drop all data, or forward it again.
func (p *proxy) silence(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = on
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// accepted returns the number of connections so far.
func (p *proxy) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

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

// sessionTimeout is as short as a busy machine allows, so that tests are short; the test servers' tick allows less.
const sessionTimeout = 2 * time.Second

// expiry bounds the time from a member's last sign of life until its znode is gone: the session timeout, a tick, and
// what a busy machine adds.
const expiry = sessionTimeout + 250*time.Millisecond + 5*time.Second

// prompt bounds what waits for no time limit.
const prompt = 10 * time.Second

// config gives a configuration for the servers.
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

// open opens a driver that is closed when the test ends.
func open(t *testing.T, cfg zk.Config) *zk.Driver {
	t.Helper()
	d, err := zk.Open(cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// join makes a member that is abandoned when the test ends.
func join(t *testing.T, d *zk.Driver, group, name string) drivers.Membership {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	m, err := d.Join(ctx, drivers.JoinRequest{Group: group, Name: name})
	require.NoError(t, err)
	t.Cleanup(m.Abandon)
	return m
}

// read polls with a bound on the time it may take.
func read(t *testing.T, d *zk.Driver) (*drivers.Poll, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	return d.Members(ctx)
}

// contextOf gives a context that ends after a time or with the test.
func contextOf(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// poll polls and requires an answer.
func poll(t *testing.T, d *zk.Driver) *drivers.Poll {
	t.Helper()
	p, err := read(t, d)
	require.NoError(t, err)
	return p
}

// states gives "up" or "down" of each member, by group/name.
func states(p *drivers.Poll) map[string]string {
	all := make(map[string]string)
	for _, m := range p.Members {
		all[m.Group+"/"+m.Name] = map[bool]string{true: "up", false: "down"}[m.Up]
	}
	return all
}

// find gives a member of a poll that has to have it.
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

// eventually polls until a member is in the state, "" for not there.
func eventually(t *testing.T, d *zk.Driver, within time.Duration, member, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		p, err := read(t, d)
		return err == nil && states(p)[member] == want
	}, within, 10*time.Millisecond, "%s is not %q within %v", member, want, within)
}

// stays polls for some time and requires a member to be in the state all the time.
func stays(t *testing.T, d *zk.Driver, length time.Duration, member, want string) {
	t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		require.Equal(t, want, states(poll(t, d))[member])
	}
}

// foreign connects as other programs do.
func foreign(t *testing.T, addr string) *zkclient.Conn {
	t.Helper()
	c, _, err := zkclient.Connect([]string{addr}, 4*time.Second, zkclient.WithLogger(quiet{}))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// create makes a znode that everybody may do everything with, as Nova's are.
func create(t *testing.T, c *zkclient.Conn, path, value string, flags int32) {
	t.Helper()
	_, err := c.Create(path, []byte(value), flags, zkclient.WorldACL(zkclient.PermAll))
	require.NoError(t, err, path)
}

// tree makes persistent znodes from pairs of path and value.
func tree(t *testing.T, c *zkclient.Conn, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		create(t, c, pairs[i], pairs[i+1], zkclient.FlagPersistent)
	}
}

// A proxy forwards connections to a server until it is told otherwise.
type proxy struct {
	net.Listener
	target string

	mu     sync.Mutex
	silent bool // accept and keep, but forward nothing
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

// silence makes the proxy swallow everything, or forward it again.
func (p *proxy) silence(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = on
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// accepted is the number of connections so far.
func (p *proxy) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

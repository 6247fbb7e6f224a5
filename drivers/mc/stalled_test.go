package mc

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// beats returns a configuration for one server, at an address, whose members write each second and are dead after six.
func beats(addr string) Config {
	cfg := DefaultConfig()
	cfg.Servers = []string{addr}
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(6*time.Second), drivers.Duration(time.Second)
	return cfg
}

// writeTo returns a driver with which tests write to one server, as the services' own clients do.
func writeTo(t *testing.T, server *testserver.MC) *Driver {
	t.Helper()
	return open(t, config(server), rosterOf())
}

// A changingAddress leads new connections to one address, whatever address the driver asks for.
type changingAddress struct{ to chan string }

func leadTo(addr string) *changingAddress {
	c := &changingAddress{make(chan string, 1)}
	c.to <- addr
	return c
}

func (c *changingAddress) lead(addr string) { <-c.to; c.to <- addr }

func (c *changingAddress) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if addr != "cache.example:11211" {
		return nil, errors.New("that is not the name, but an address that it once had")
	}
	to := <-c.to
	c.to <- to
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

// The members write to another server, since a load balancer or their name leads there, and the old one stays reachable. No
// member is said to be down, and a member that has joined writes to the new server before its heartbeat there is too old.
func TestServerIsReplaced(t *testing.T) {
	t.Parallel()
	for name, renamed := range map[string]bool{"load balancer": false, "name": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, now := testserver.Memcached(t), testserver.Memcached(t)
			oldWriter, nowWriter := writeTo(t, old), writeTo(t, now)
			names := []string{"one", "two", "three"}
			for _, member := range names {
				write(t, nowWriter, 0, member, time.Now().Add(-time.Hour)) // as an earlier change has left it
				write(t, oldWriter, 0, member, time.Now())
			}
			var cfg Config
			var replace func()
			if renamed {
				address := leadTo(old.Addr())
				cfg = beats("cache.example")
				cfg.Dial = address.dial
				replace = func() { address.lead(now.Addr()) }
			} else {
				balancer := testserver.HAProxy(t, old.Addr(), now.Addr())
				cfg = beats(balancer.Addr())
				replace = func() { balancer.Lead(1) }
			}
			d, joiner := open(t, cfg, rosterOf(append(names, "joined")...)), open(t, cfg, rosterOf("joined"))
			_, err := joiner.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "joined"})
			require.NoError(t, err)
			require.Equal(t, "up", verdictOf(poll(t, d), "one"))

			replace()
			for begun := time.Now(); time.Since(begun) < 8*time.Second; time.Sleep(100 * time.Millisecond) {
				for _, member := range names {
					write(t, nowWriter, 0, member, time.Now())
				}
				p := poll(t, d)
				for _, member := range append(names, "joined") {
					require.NotEqual(t, "down", verdictOf(p, member), "%s, %v after the change", member, time.Since(begun))
				}
			}
			eventually(t, d, "joined", "up")
			require.Equal(t, "up", verdictOf(poll(t, d), "one"))
			require.LessOrEqual(t, d.Counts().Reconnects, uint64(5))
		})
	}
}

// Only some of the members die: the others' heartbeats continue, and no connection is replaced for them.
func TestDeathsCostNoConnections(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	cfg := config(server)
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(time.Hour), drivers.Duration(time.Minute)
	d := open(t, cfg, rosterOf("one", "two", "three"))
	for _, member := range []string{"one", "two", "three"} {
		write(t, d, 0, member, time.Now())
	}
	poll(t, d)
	before := d.Counts().Reconnects
	write(t, d, 0, "one", time.Now().Add(-2*time.Hour))
	for range 5 {
		require.Equal(t, "up", verdictOf(poll(t, d), "two"))
	}
	require.Equal(t, before, d.Counts().Reconnects)

	// All of them die: that is looked at on a new connection, and not with each poll.
	for _, member := range []string{"one", "two", "three"} {
		write(t, d, 0, member, time.Now().Add(-2*time.Hour))
	}
	for range 20 {
		poll(t, d)
	}
	require.Equal(t, before+1, d.Counts().Reconnects)
}

// If all heartbeats have stopped and no new connection can be made, the members are unknown.
func TestStalledAndUnreachable(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	address := leadTo(server.Addr())
	cfg := beats("cache.example")
	cfg.Dial = address.dial
	d, writer := open(t, cfg, rosterOf("one")), writeTo(t, server)
	write(t, writer, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	address.lead("127.0.0.1:1")
	write(t, writer, 0, "one", time.Now().Add(-time.Hour))
	_, err := d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	address.lead(server.Addr())
	eventually(t, d, "one", "down")
}

package zk_test

import (
	"cmp"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// An ensemble has moved: the load balancer leads to the new one, and the old servers still answer. When the members of other
// programs move, none of them is said to have died. A member that has joined moves, too.
func TestEnsembleMoves(t *testing.T) {
	t.Parallel()
	old, now := emptyServer(t), emptyServer(t)
	balancer := testserver.HAProxy(t, old.Addr(), now.Addr())
	// The reader has half of its session timeout for a second session before a death is said, which a busy machine needs. The member
	// compares its session with a new one every ten timeouts.
	const readerTimeout = 4 * time.Second
	forReader, forMember := configFor(balancer.Addr()), configFor(balancer.Addr())
	forReader.SessionTimeout = drivers.Duration(readerTimeout)
	forMember.SessionTimeout = drivers.Duration(600 * time.Millisecond)
	names := []string{"a", "b", "c"}
	before, after := otherClient(t, old.Addr()), otherClient(t, now.Addr())
	for _, c := range []*zkclient.Conn{before, after} {
		createTree(t, c, "/servicegroups", "", "/servicegroups/moved", "ZKMembers", "/servicegroups/stays", "ZKMembers")
	}
	for _, name := range names {
		create(t, before, "/servicegroups/moved/"+name, "", zkclient.FlagEphemeral)
	}
	reader, there := open(t, forReader), open(t, config(now))
	join(t, open(t, forMember), "stays", "joined")
	require.Equal(t, "up", states(poll(t, reader))["moved/a"])
	// Until its first session timeout has passed, a session is believed as it is. It began before the poll returned.
	requireStays(t, reader, readerTimeout+100*time.Millisecond, "moved/a", "up")
	connections := reader.Counts().Reconnects

	balancer.Lead(1)
	for _, name := range names {
		create(t, after, "/servicegroups/moved/"+name, "", zkclient.FlagEphemeral)
		require.NoError(t, before.Delete("/servicegroups/moved/"+name, -1))
		require.Equal(t, "up", states(poll(t, reader))["moved/"+name])
	}
	requireStays(t, reader, time.Second, "moved/a", "up")
	require.Equal(t, connections+1, reader.Counts().Reconnects, "the session is replaced once")
	eventually(t, there, prompt, "stays/joined", "up")
	eventually(t, reader, prompt, "stays/joined", "up")

	// A death costs no session.
	require.NoError(t, after.Delete("/servicegroups/moved/b", -1))
	eventually(t, reader, prompt, "moved/b", "")
	require.Equal(t, connections+1, reader.Counts().Reconnects)
}

// Without a death a new ensemble is found, too: the reader's session is verified now and then.
func TestEnsembleMovesQuietly(t *testing.T) {
	t.Parallel()
	old, now := emptyServer(t), emptyServer(t)
	balancer := testserver.HAProxy(t, old.Addr(), now.Addr())
	cfg := configFor(balancer.Addr())
	cfg.SessionTimeout = drivers.Duration(500 * time.Millisecond)
	join(t, open(t, config(now)), "quiet", "new")
	reader := open(t, cfg)
	require.Empty(t, poll(t, reader).Members)
	balancer.Lead(1)
	eventually(t, reader, prompt, "quiet/new", "up")
}

// A server's name that has another address is resolved again, by the reader and by a member, although the server at the old address
// continues.
func TestNameMoves(t *testing.T) {
	t.Parallel()
	old, now := emptyServer(t), emptyServer(t)
	const name = "moves.zk.example"
	dns.Set(name, "192.0.2.1")
	servers := map[string]string{"192.0.2.1:2181": old.Addr(), "192.0.2.2:2181": now.Addr()}
	cfg := configFor(name)
	cfg.SessionTimeout = drivers.Duration(500 * time.Millisecond)
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, cmp.Or(servers[addr], addr))
	}
	there := open(t, config(now))
	join(t, there, "moves", "new")
	join(t, open(t, cfg), "moves", "joined")
	reader := open(t, cfg)
	require.Equal(t, map[string]string{"moves/joined": "up"}, states(poll(t, reader)))
	dns.Set(name, "192.0.2.2")
	eventually(t, reader, prompt, "moves/new", "up")
	eventually(t, there, prompt, "moves/joined", "up")
	eventually(t, reader, prompt, "moves/joined", "up")
}

// An observer that is cut off from the leader answers pings and reads for a while, but the leader lets its sessions expire. A member
// moves before that. Later the observer serves only clients that ask for a read-only server, and shows this program nothing.
func TestObserverIsCutOff(t *testing.T) {
	t.Parallel()
	var link *proxy
	leader, observer := testserver.ZooKeeperObserver(t, func(addr string) string {
		link = newProxy(t, addr)
		return link.addr()
	})
	balancer := testserver.HAProxy(t, observer.Addr(), leader.Addr())
	cfg := configFor(balancer.Addr())
	cfg.SessionTimeout = drivers.Duration(4 * time.Second)
	reader := open(t, config(leader))
	member := join(t, open(t, cfg), "cut", "one")
	require.Equal(t, "up", states(poll(t, reader))["cut/one"])

	link.silence(true)
	balancer.Lead(1)
	requireStays(t, reader, 6*time.Second, "cut/one", "up")
	direct := open(t, config(observer))
	for range 3 {
		ctx, cancel := withTimeout(t, time.Second)
		p, err := direct.Members(ctx)
		cancel()
		require.ErrorIs(t, err, drivers.ErrUnavailable, "it showed %v", p)
	}
	require.NoError(t, member.Leave(t.Context()))
}

// A read-only server accepts connections and gives no session. The states are unknown until the balancer leads elsewhere.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	leader, observer := testserver.ZooKeeperObserver(t, func(addr string) string { return addr })
	other := emptyServer(t)
	join(t, open(t, config(other)), "elsewhere", "one")
	balancer := testserver.HAProxy(t, observer.Addr(), other.Addr())
	d := open(t, configFor(balancer.Addr()))
	require.Empty(t, poll(t, d).Members)
	leader.Stop()
	testserver.Eventually(t, func() bool { return observer.Mode() == "read-only" }, prompt, 50*time.Millisecond, "it is read-only")
	testserver.Eventually(t, func() bool {
		ctx, cancel := withTimeout(t, time.Second)
		defer cancel()
		_, err := d.Members(ctx)
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		return strings.Contains(err.Error(), "without giving a session")
	}, prompt, 10*time.Millisecond, "the server refuses a session")
	balancer.Lead(1)
	require.Equal(t, "up", states(poll(t, d))["elsewhere/one"])
}

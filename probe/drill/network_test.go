package drill

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo starts a server that sends back what it receives. The channel receives when a connection has ended.
func echo(t *testing.T) (address string, ended <-chan struct{}) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	closed := make(chan struct{}, 10)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c) // It returns when the other side closes the connection.
				c.Close()
				closed <- struct{}{}
			}()
		}
	}()
	return listener.Addr().String(), closed
}

func connectTo(t *testing.T, n *network, address string) net.Conn {
	t.Helper()
	c, err := n.dial(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func exchange(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := c.Write([]byte("ping"))
	require.NoError(t, err)
	answer := make([]byte, 4)
	_, err = io.ReadFull(c, answer)
	require.NoError(t, err)
	require.Equal(t, "ping", string(answer))
}

func TestNetworkCountsTraffic(t *testing.T) {
	address, _ := echo(t)
	n := &network{}
	exchange(t, connectTo(t, n, address))
	exchange(t, connectTo(t, n, address))
	require.Equal(t, Traffic{Connections: 2, Sends: 2, BytesOut: 8, BytesIn: 8}, n.traffic())
	require.Equal(t, []string{address}, n.addresses())
	cpu, found := serverCPU(n.addresses())
	require.True(t, found, "this process is the server")
	require.Positive(t, cpu+1)
	_, found = serverCPU([]string{address, "192.0.2.1:80"})
	require.False(t, found, "a server on another machine")
}

// While the network is cut, nothing is transferred, deadlines and closing still work, and the other side is told nothing.
func TestNetworkCut(t *testing.T) {
	address, ended := echo(t)
	n := &network{}
	c, other := connectTo(t, n, address), connectTo(t, n, address)
	exchange(t, c)
	exchange(t, other)
	n.cut()
	const wait = 50 * time.Millisecond

	require.NoError(t, c.SetDeadline(time.Now().Add(wait)))
	_, err := c.Write([]byte("ping"))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	_, err = n.dial(ctx, "tcp", address)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	// A deadline that is set during a call wakes the call. Clients do this when their context ends.
	require.NoError(t, c.SetDeadline(time.Time{}))
	failed := make(chan error)
	go func() {
		_, err := c.Write([]byte("ping"))
		failed <- err
	}()
	time.Sleep(wait)
	require.NoError(t, c.SetWriteDeadline(time.Unix(1, 0)))
	require.ErrorIs(t, <-failed, os.ErrDeadlineExceeded)

	go func() {
		_, err := other.Read(make([]byte, 1))
		failed <- err
	}()
	time.Sleep(wait)
	require.NoError(t, other.Close())
	require.Error(t, <-failed)
	time.Sleep(wait)
	require.Empty(t, ended, "the server does not know that the connection was closed")
	require.Equal(t, uint64(2), n.traffic().Sends)

	n.heal()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the server has not learned that the connection was closed")
	}
	require.NoError(t, c.SetDeadline(time.Time{}))
	exchange(t, c)
}

func TestParseStat(t *testing.T) {
	got, ok := parseStat("12 (a) b) S 7 12 12 0 -1 4194560 1 2 3 4 150 50 20 10 20 0 1 0")
	require.True(t, ok)
	require.Equal(t, processTimes{parent: 7, own: 2 * time.Second, reaped: 300 * time.Millisecond}, got)
	_, ok = parseStat("12 (a) S 7")
	require.False(t, ok)
	sum := processes{1: {own: 1}, 2: {parent: 1, own: 10, reaped: 5}, 3: {parent: 2, own: 100}, 4: {parent: 9, own: 1000}}
	require.Equal(t, time.Duration(116), sum.treeCPU(1))
}

func TestParseSocket(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000000000000000000001000000:0050": "[::1]:80",
		"0000000000000000FFFF00000100007F:0050": "127.0.0.1:80",
	} {
		got, err := parseSocket(text)
		require.NoError(t, err)
		require.Equal(t, want, got.String())
	}
	_, err := parseSocket("xyz")
	require.Error(t, err)
}

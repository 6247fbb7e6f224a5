package session

import (
	"context"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A name may have addresses at which no server listens, as localhost has if a server listens on IPv4 only.
func TestConnectByName(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		conn, err := (&Dialer{Net: drivers.Dialer(nil).OrNet()}).connect(ctx, Server{"localhost", port})
		cancel()
		require.NoError(t, err)
		require.Equal(t, l.Addr().String(), conn.RemoteAddr().String())
		require.NoError(t, conn.Close())
	}
}

// A connection that has the deadline of an attempt can end just before its context. One that ends earlier says why.
func TestConnectionEndsBeforeItsContext(t *testing.T) {
	ctx, cancel := drivers.WithLimit(t.Context(), time.Minute)
	defer cancel()
	ended := &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	atOnce := func(context.Context, string, string) (net.Conn, error) { return nil, ended }
	atDeadline := func(ctx context.Context, _, _ string) (net.Conn, error) {
		deadline, _ := ctx.Deadline()
		time.Sleep(time.Until(deadline))
		return nil, ended
	}
	_, err := (&Dialer{Net: atDeadline}).connectTo(ctx, 10*time.Millisecond, "192.0.2.1:2181", "zk1")
	require.EqualError(t, err, "connecting to 192.0.2.1:2181: no answer in time: waited 10ms")
	_, err = (&Dialer{Net: atOnce}).connectTo(ctx, time.Minute, "192.0.2.1:2181", "zk1")
	require.Equal(t, ended, err)
}

func TestAttemptTime(t *testing.T) {
	d := Dialer{Options: Options{Timeout: 6 * time.Second}}
	for timeouts, want := range []time.Duration{2, 4, 6, 6} {
		require.Equal(t, want*time.Second, d.attemptTimeout(timeouts))
	}
	d.Options.Timeout = 100 * time.Millisecond
	require.Equal(t, minAttempt, d.attemptTimeout(0))
	require.Equal(t, minAttempt, d.attemptTimeout(1000))
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Backoff{Limit: time.Second}
		for _, longest := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000} {
			begun := time.Now()
			require.True(t, b.Pause(t.Context()))
			took := time.Since(begun)
			require.GreaterOrEqual(t, took, longest*time.Millisecond/2)
			require.LessOrEqual(t, took, longest*time.Millisecond)
		}
		require.False(t, b.Lasted(time.Second-1), "a short success does not shorten the pauses")
		require.Equal(t, time.Second, b.wait)
		require.True(t, b.Lasted(time.Second))
		require.Zero(t, b.wait)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		require.False(t, b.Pause(ctx))
		require.Zero(t, time.Since(begun))
	})
}

func TestFailures(t *testing.T) {
	one, two := Server{"a", "1"}, Server{"b", "2"}
	var texts []string
	var rounds int
	f := NewFailures([]Server{one, two}, func(err error, all bool) {
		texts = append(texts, err.Error())
		if all {
			rounds++
		}
	})
	fail := func(s Server, reason drivers.Reason) {
		f.add(s, drivers.Unavailable(reason, net.UnknownNetworkError(s.host)))
	}
	fail(one, drivers.ReasonConnect)
	fail(one, drivers.ReasonSession)
	require.Zero(t, rounds, "the other server was not tried")
	fail(two, drivers.ReasonTimeout)
	require.Equal(t, 1, rounds)
	fail(two, drivers.ReasonTimeout)
	require.Equal(t, 2, rounds)
	fail(two, drivers.ReasonTimeout)
	require.Equal(t, 2, rounds)
	require.Equal(t, "no session with any ZooKeeper server: unknown network a; unknown network b", texts[4])

	ended, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	err := f.timedOut(ended)
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, drivers.ReasonSession, drivers.ReasonOf(err), "the reason of the server that came closest")
}

func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items := make([]int, 100)
		do := func(ctx context.Context, _ int) error {
			time.Sleep(time.Second)
			return ctx.Err()
		}
		begun := time.Now()
		require.NoError(t, Parallel(t.Context(), 10, items, do))
		require.Equal(t, 10*time.Second, time.Since(begun), "ten at a time")
		require.NoError(t, Parallel(t.Context(), 10, nil, do))

		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		begun = time.Now()
		require.ErrorIs(t, Parallel(ctx, 10, items, do), context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(begun), "all calls that began have returned")
	})
}

package zk_test

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// refusingAddr returns an address at which no server listens.
func refusingAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// Once there was no session for a session timeout, a poll fails as soon as all servers have failed, instead of at its
// deadline.
func TestOutageIsReportedQuickly(t *testing.T) {
	d := open(t, configFor(refusingAddr(t)))
	d.Changed()
	time.Sleep(sessionTimeout)
	_, err := d.Members(t.Context()) // This context has no deadline.
	require.ErrorIs(t, err, drivers.ErrUnavailable)
}

// Hundreds of attempts, as in a long outage, leave no goroutines behind.
func TestLongOutage(t *testing.T) {
	before := runtime.NumGoroutine()
	var attempts atomic.Int64
	addr := testserver.FakeServer(t, func(net.Conn) { attempts.Add(1) })
	cfg := configFor(addr, addr, addr, addr)
	cfg.SessionTimeout = drivers.Duration(100 * time.Millisecond)
	d := open(t, cfg)
	d.Changed()
	most := 0
	for attempts.Load() < 200 {
		most = max(most, runtime.NumGoroutine())
		time.Sleep(10 * time.Millisecond)
	}
	// An attempt's goroutines run for a second or two, since the library waits that long to end a session.
	require.Less(t, most-before, 300)
	half := runtime.NumGoroutine()
	for attempts.Load() < 400 {
		time.Sleep(10 * time.Millisecond)
	}
	require.Less(t, runtime.NumGoroutine(), half+100, "the number does not grow")
	require.NoError(t, d.Close())
	const listener = 1
	for end := time.Now().Add(prompt); runtime.NumGoroutine() > before+listener; time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}

// answerOnlyPings answers the handshake and pings, and no other request.
func answerOnlyPings(c net.Conn) {
	for {
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		if length[0] != 0 {
			return // This is the command srvr.
		}
		body := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		var answer []byte
		switch {
		case len(body) > 40: // The handshake.
			answer = make([]byte, 4+37)
			answer[3] = 37
			binary.BigEndian.PutUint32(answer[8:], 1000)
			answer[19], answer[23] = 1, 16
		case binary.BigEndian.Uint32(body) == 0xfffffffe: // A ping.
			answer = append([]byte{0, 0, 0, 16, 0xff, 0xff, 0xff, 0xfe}, make([]byte, 12)...)
		default:
			continue
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// A session is replaced if its requests are not answered, although the server answers pings.
func TestServerAnswersOnlyPings(t *testing.T) {
	t.Parallel()
	var sessions atomic.Int64
	d := open(t, configFor(testserver.FakeServer(t, func(c net.Conn) {
		sessions.Add(1)
		answerOnlyPings(c)
	})))
	ctx, cancel := withTimeout(t, 500*time.Millisecond)
	defer cancel()
	_, err := d.Members(ctx)
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err))
	require.Equal(t, uint64(0), d.Counts().Reconnects)
	require.Eventually(t, func() bool { return d.Counts().Reconnects > 0 }, prompt, 10*time.Millisecond)
	require.GreaterOrEqual(t, sessions.Load(), int64(2))
}

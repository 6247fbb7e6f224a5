package zk_test

import (
	"context"
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

// nobody is an address at which nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// Whatever is at the other end, a poll ends with its context or before, says what was seen, and costs little.
func TestBadPeers(t *testing.T) {
	says := func(text string) string {
		return testserver.FakeServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
		})
	}
	tests := []struct {
		name, addr string
		reason     drivers.Reason
		says       string
	}{
		{"refused", nobody(t), drivers.ReasonConnect, "refused"},
		{"unknown host", "zk.invalid:2181", drivers.ReasonConnect, "zk.invalid"},
		{"web server", says("HTTP/1.1 400 Bad Request\r\n\r\n"), drivers.ReasonConnect, "not a ZooKeeper server"},
		{"silence", says(""), drivers.ReasonTimeout, "no session in time"},
		{"a length and then nothing", says("\x00\x00\x00\x25"), drivers.ReasonTimeout, "no session in time"},
		{"a gigabyte and then nothing", says("\x40\x00\x00\x00"), drivers.ReasonConnect, "not a ZooKeeper server"},
		{"hangs up", testserver.FakeServer(t, func(net.Conn) {}), drivers.ReasonSession, "quorum"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := open(t, configFor(test.addr))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begun := time.Now()
			_, err := d.Members(ctx)
			took := time.Since(begun)
			runtime.ReadMemStats(&after)

			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, test.reason, drivers.ReasonOf(err), "%v", err)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, test.addr)
			require.Less(t, took, 4*time.Second)
			// Every attempt that gets a connection costs the library's buffer of 1.5 MiB.
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
		})
	}
}

// After the grace of one session timeout, an outage is reported as fast as the servers can be tried, instead of at the
// end of the scrape's time.
func TestOutageIsReportedQuickly(t *testing.T) {
	d := open(t, configFor(nobody(t)))
	d.Changed()
	time.Sleep(sessionTimeout)
	begun := time.Now()
	_, err := d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.Less(t, time.Since(begun), 3*time.Second)
}

// Hundreds of attempts, as in a long outage, leave nothing behind, neither while they are made nor afterwards.
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
	// An attempt's goroutines live for a second or two, since the library waits that long to say good-bye.
	require.Less(t, most-before, 300)
	half := runtime.NumGoroutine()
	for attempts.Load() < 400 {
		time.Sleep(10 * time.Millisecond)
	}
	require.Less(t, runtime.NumGoroutine(), half+100, "it does not grow")
	require.NoError(t, d.Close())
	const listener = 1
	for end := time.Now().Add(prompt); runtime.NumGoroutine() > before+listener; time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}

// mute speaks the protocol as far as the handshake and pings go, and leaves every request unanswered.
func mute(c net.Conn) {
	for {
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		if length[0] != 0 {
			return // It is the command srvr.
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

// A session whose requests go unanswered is replaced, although the server answers pings.
func TestMuteServer(t *testing.T) {
	var sessions atomic.Int64
	d := open(t, configFor(testserver.FakeServer(t, func(c net.Conn) {
		sessions.Add(1)
		mute(c)
	})))
	begun := time.Now()
	ctx, cancel := contextOf(t, 500*time.Millisecond)
	defer cancel()
	_, err := d.Members(ctx)
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err))
	require.Less(t, time.Since(begun), 2*time.Second)
	require.Equal(t, uint64(0), d.Counts().Reconnects)
	require.Eventually(t, func() bool { return d.Counts().Reconnects > 0 }, prompt, 10*time.Millisecond)
	require.GreaterOrEqual(t, sessions.Load(), int64(2))
}

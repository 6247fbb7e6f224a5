package mc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// One of two servers goes away: only those are unknown whose heartbeats were on it.
func TestOneOfTwo(t *testing.T) {
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	for _, outage := range []struct {
		name       string
		begin, end func()
	}{
		{"stopped", first.Stop, first.Start},
		{"frozen", first.Freeze, first.Thaw},
	} {
		t.Run(outage.name, func(t *testing.T) {
			cfg := config(first, second)
			cfg.ServiceDownTime = drivers.Duration(time.Minute)
			d := open(t, cfg, bookOf("on-first", "on-second", "moves", "dies"))
			now := time.Now()
			for name, server := range map[string]int{"on-first": 0, "moves": 0, "on-second": 1, "dies": 1} {
				write(t, d, server, name, now)
			}
			settle(t, d)
			for _, name := range []string{"on-first", "on-second", "moves", "dies"} {
				write(t, d, 1, name, now.Add(-time.Hour)) // Old copies, as outages of long ago leave them, mean nothing.
			}
			for name, server := range map[string]int{"on-first": 0, "moves": 0, "on-second": 1, "dies": 1} {
				write(t, d, server, name, time.Now())
			}
			p := poll(t, d)
			require.Len(t, p.Members, 4)
			require.Equal(t, []string{"up", "up", "up", "up"}, verdicts(p))

			outage.begin()
			write(t, d, 1, "on-second", time.Now())
			write(t, d, 1, "moves", time.Now())
			write(t, d, 1, "dies", time.Now().Add(-time.Hour))
			begun := time.Now()
			p, err := d.Members(short(t, time.Second))
			require.NoError(t, err, "the other server's answer is not lost with the first one's")
			require.Less(t, time.Since(begun), time.Second)
			require.Equal(t, []string{"unknown", "up", "up", "down"}, verdicts(p))
			require.NotNil(t, find(p, "dies"), "who fell silent on a server that answers is dead")

			outage.end()
			write(t, d, 0, "on-first", time.Now())
			eventually(t, d, "on-first", "up")
		})
	}
}

// verdicts are those of the members of TestOneOfTwo.
func verdicts(p *drivers.Poll) []string {
	return []string{verdictOf(p, "on-first"), verdictOf(p, "on-second"), verdictOf(p, "moves"), verdictOf(p, "dies")}
}

// A server that has forgotten everything kills nobody before everybody has had the time to report again.
func TestForgetfulServers(t *testing.T) {
	server := testserver.Memcached(t)
	for _, loss := range []struct {
		name   string
		forget func()
	}{
		{"restarted", func() { server.Kill(); server.Start() }},
		{"flushed", func() { server.Command("flush_all") }},
	} {
		t.Run(loss.name, func(t *testing.T) {
			cfg := config(server)
			cfg.ServiceDownTime = drivers.Duration(50 * time.Millisecond) // so that no proof lasts
			cfg.ReportInterval = drivers.Duration(10 * time.Millisecond)
			d := open(t, cfg, bookOf("survivor", "victim", "corpse"))
			settle(t, d)
			// Heartbeats from the future do not age while this is looked at. Their proof does.
			write(t, d, 0, "survivor", time.Now().Add(time.Hour))
			write(t, d, 0, "victim", time.Now().Add(time.Hour))
			p := poll(t, d)
			require.Equal(t, "up", verdictOf(p, "survivor"))
			require.Equal(t, "down", verdictOf(p, "corpse"))

			loss.forget()
			forgot := time.Now()
			time.Sleep(60 * time.Millisecond) // The proofs end.
			p = poll(t, d)
			require.Equal(t, "unknown", verdictOf(p, "victim"))
			require.Equal(t, "unknown", verdictOf(p, "corpse"), "of those who were dead before nothing is known either")
			write(t, d, 0, "survivor", time.Now().Add(time.Hour))
			require.Equal(t, "up", verdictOf(poll(t, d), "survivor"), "who reports again is known at once")
			eventually(t, d, "victim", "down")
			require.Greater(t, time.Since(forgot), d.settling()-time.Second, "that was too soon")
			require.Less(t, time.Since(forgot), d.settling()+3*time.Second, "that was too late")
		})
	}

	// A flush before the first poll may have been long ago.
	d := open(t, config(server), bookOf("corpse"))
	require.Equal(t, "down", verdictOf(poll(t, d), "corpse"))
}

// A heartbeat that vanishes before its time was dropped to make room.
func TestEviction(t *testing.T) {
	d := open(t, config(testserver.Memcached(t)), bookOf("one"))
	settle(t, d)
	write(t, d, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	erase(t, d, 0, "one")
	require.Equal(t, "unknown", verdictOf(poll(t, d), "one"))
	write(t, d, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	erase(t, d, 0, "one")
	eventually(t, d, "one", "down")
}

// Servers that are gone for good make everything unknown, in time, without leaving anything behind.
func TestOutage(t *testing.T) {
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	d := open(t, config(first, second), bookOf("one"))
	for _, outage := range []struct {
		name       string
		begin, end func(*testserver.MC)
		reason     drivers.Reason
	}{
		{"stopped", (*testserver.MC).Stop, (*testserver.MC).Start, drivers.ReasonConnect},
		{"frozen", (*testserver.MC).Freeze, (*testserver.MC).Thaw, drivers.ReasonTimeout},
	} {
		t.Run(outage.name, func(t *testing.T) {
			poll(t, d)
			goroutines := runtime.NumGoroutine()
			outage.begin(first)
			outage.begin(second)
			for range 20 {
				begun := time.Now()
				_, err := d.Members(short(t, 100*time.Millisecond))
				require.Less(t, time.Since(begun), time.Second)
				require.ErrorIs(t, err, drivers.ErrUnavailable)
				require.Equal(t, outage.reason, drivers.ReasonOf(err), err)
				require.ErrorContains(t, err, first.Addr())
				require.ErrorContains(t, err, second.Addr())
				require.NotContains(t, err.Error(), "\n")
			}
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines }, 5*time.Second, 10*time.Millisecond,
				"goroutines pile up")
			outage.end(first)
			outage.end(second)
			write(t, d, 1, "one", time.Now())
			eventually(t, d, "one", "up")
		})
	}
}

// Peers that are no memcached end a poll as fast as its context, or sooner, whatever they say.
func TestPeers(t *testing.T) {
	const key = "f3d233d4ecf2e8fb59f847333910fb37c4c9c16e"
	value := "VALUE " + key + " 1 200\r\nab"
	for name, test := range map[string]struct {
		answers []string // one for each thing that it reads
		hangs   bool     // after the last one
		reason  drivers.Reason
	}{
		"silent":            {nil, true, drivers.ReasonTimeout},
		"closes":            {nil, false, drivers.ReasonConnect},
		"SSH":               {[]string{"SSH-2.0-OpenSSH_9.2\r\n"}, true, drivers.ReasonQuery},
		"refuses":           {[]string{"CLIENT_ERROR unauthenticated\r\n"}, true, drivers.ReasonAuth},
		"half an item":      {[]string{value}, false, drivers.ReasonConnect},
		"stops":             {[]string{value}, true, drivers.ReasonTimeout},
		"huge item":         {[]string{"VALUE " + key + " 1 4000000000\r\nab"}, true, drivers.ReasonQuery},
		"no stats":          {[]string{"END\r\n"}, true, drivers.ReasonTimeout},
		"odd stats":         {[]string{"END\r\n", "VERSION 1\r\n"}, true, drivers.ReasonQuery},
		"odd uptime":        {[]string{"END\r\n", "STAT uptime long\r\n"}, true, drivers.ReasonQuery},
		"half of the stats": {[]string{"END\r\n", "STAT uptime 5\r\n"}, false, drivers.ReasonConnect},
		"endless stats":     {[]string{"END\r\n", strings.Repeat("STAT ab c\r\n", maxStats/11+9)}, true, drivers.ReasonConnect},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.Servers = []string{serve(t, test.hangs, test.answers...)}
			d := open(t, cfg, bookOf("compute-01"))
			begun := time.Now()
			_, err := d.Members(short(t, 500*time.Millisecond))
			require.Less(t, time.Since(begun), 2*time.Second)
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, test.reason, drivers.ReasonOf(err), err)
		})
	}
}

// serve answers what every client sends, one answer for each time that something came, and then closes the connection or
// hangs.
func serve(t *testing.T, hangs bool, answers ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				question := make([]byte, 4096)
				for _, answer := range answers {
					_, _ = conn.Read(question)
					fmt.Fprint(conn, answer)
				}
				if !hangs {
					_ = conn.(*net.TCPConn).CloseWrite()
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// A proxy that does not know the question is believed.
func TestServerWithoutStats(t *testing.T) {
	cfg := config()
	cfg.Servers = []string{serve(t, true, "END\r\n", "ERROR\r\n")}
	d := open(t, cfg, bookOf("one"))
	p := poll(t, d)
	require.Equal(t, "down", verdictOf(p, "one"))
	require.Equal(t, "memcached", p.Backend)
}

// No answer is so long that it takes all memory.
func TestReadsAreBounded(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		for part := bytes.Repeat([]byte("line\n"), 1<<16); ; {
			if _, err := there.Write(part); err != nil {
				return
			}
		}
	}()
	conn := &boundConn{Conn: here}
	for range 2 { // Each operation has the whole bound.
		require.NoError(t, conn.begin(time.Time{}))
		n, err := io.Copy(io.Discard, conn)
		require.Equal(t, int64(maxAnswer), n)
		require.ErrorContains(t, err, "more than 33554432 bytes")
	}
}

func TestGuard(t *testing.T) {
	const good = "VALUE k 1 7 42\r\nVALUE\r\n\r\nVALUE k 1 0\r\n\r\nVALUE k 1 x\r\nSTORED\r\nVALUE\r\nEND\r\n"
	for name, test := range map[string]struct {
		answer string
		want   string // in the error
	}{
		"good":           {good, ""},
		"largest item":   {"VALUE k 1 1048576\r\n" + strings.Repeat("x", maxItem) + "\r\n" + good, ""},
		"larger item":    {good + "VALUE k 1 1048577\r\n", "an item of 1048577 bytes"},
		"after an item":  {"VALUE k 1 3\r\nEND\r\nVALUE k 1 4000000000\r\n", "an item of 4000000000 bytes"},
		"longest line":   {good + strings.Repeat("x", maxLine) + "\n", ""},
		"longer line":    {good + strings.Repeat("x", maxLine+1), "a line of more than 1024 bytes"},
		"inside an item": {"VALUE k 1 22\r\nVALUE k 1 4000000000\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 3, 4096, 1 << 30} {
				var g guard
				var err error
				for part := range slices.Chunk([]byte(test.answer), size) {
					if err = g.pass(part); err != nil {
						break
					}
				}
				if test.want == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, test.want)
				}
			}
		})
	}
}

func TestStats(t *testing.T) {
	s, err := readStats(strings.NewReader("STAT pid 1\r\nSTAT uptime 62\r\nSTAT version 1.6.18\r\nSTAT cmd_flush 3\r\nSTAT odd\r\nEND\r\n"))
	require.NoError(t, err)
	require.Equal(t, stats{version: "1.6.18", age: time.Minute, flushes: 3}, s)
	s, err = readStats(strings.NewReader("STAT uptime 1\r\nEND\r\n"))
	require.NoError(t, err)
	require.Zero(t, s.age)
	s, err = readStats(strings.NewReader("END\r\n"))
	require.NoError(t, err)
	require.Equal(t, ages, s.age, "a server that does not say when it was started is not young")
}

// Closing ends what is under way, and what comes later.
func TestClose(t *testing.T) {
	server := testserver.Memcached(t)
	roster := bookOf("one")
	d := open(t, config(server), roster)
	poll(t, d)
	_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.NoError(t, err)
	server.Freeze()
	defer server.Thaw()
	hung := make(chan error)
	go func() {
		_, err := d.Members(t.Context())
		hung <- err
	}()
	require.Never(t, func() bool {
		select {
		case err := <-hung:
			hung <- err
			return true
		default:
			return false
		}
	}, 100*time.Millisecond, 10*time.Millisecond)
	begun := time.Now()
	require.NoError(t, d.Close())
	require.ErrorIs(t, <-hung, drivers.ErrUnavailable)
	require.Less(t, time.Since(begun), time.Second)
	require.Equal(t, 1, roster.closed)

	_, err = d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorContains(t, err, "the driver is closed")
	_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorIs(t, d.Leave(t.Context(), "compute", "one"), drivers.ErrUnavailable)
	require.NoError(t, d.Close())
	require.Equal(t, 1, roster.closed)
}

func TestRosterThatDoesNotClose(t *testing.T) {
	broken := errors.New("broken")
	d, err := Open(config(testserver.Memcached(t)), unclosable{bookOf(), broken}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, d.Close(), broken)
}

type unclosable struct {
	*book
	err error
}

func (u unclosable) Close() error { return u.err }

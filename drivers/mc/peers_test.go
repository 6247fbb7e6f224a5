package mc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A poll of a server that is not a memcached fails at once, or at the end of the server's part of the poll's time.
func TestOtherServers(t *testing.T) {
	const key = "f3d233d4ecf2e8fb59f847333910fb37c4c9c16e"
	value := "VALUE " + key + " 1 200\r\nab"
	for name, test := range map[string]struct {
		answers []string // one for each read
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
		"wrong stats":       {[]string{"END\r\n", "VERSION 1\r\n"}, true, drivers.ReasonQuery},
		"wrong uptime":      {[]string{"END\r\n", "STAT uptime long\r\n"}, true, drivers.ReasonQuery},
		"half of the stats": {[]string{"END\r\n", "STAT uptime 5\r\n"}, false, drivers.ReasonConnect},
		"endless stats":     {[]string{"END\r\n", strings.Repeat("STAT ab c\r\n", maxStats/11+9)}, true, drivers.ReasonConnect},
	} {
		inFakeTime(t, name, func(t *testing.T) {
			cfg := config()
			cfg.Servers, cfg.Dial = []string{"mc:11211"}, serve(test.hangs, test.answers...)
			d := open(t, cfg, rosterOf("compute-01"))
			begun := time.Now()
			_, err := d.Members(short(t, 500*time.Millisecond))
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, test.reason, drivers.ReasonOf(err), err)
			want := time.Duration(0)
			if test.reason == drivers.ReasonTimeout {
				want = 400 * time.Millisecond
			}
			require.Equal(t, want, time.Since(begun))
		})
	}
}

// inFakeTime runs a test with fake time. It must connect only through the dialer of serve.
func inFakeTime(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// serve returns a dialer of a server without a network. The server sends the answers to each client, one after each read, and
// then hangs or closes the connection. Without answers it closes the connection after one read.
func serve(hangs bool, answers ...string) drivers.Dialer {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			request := make([]byte, 4096)
			for _, answer := range answers {
				_, _ = there.Read(request)
				fmt.Fprint(there, answer)
			}
			if hangs {
				_, _ = io.Copy(io.Discard, there) // until the client closes the connection
			} else if len(answers) == 0 {
				_, _ = there.Read(request)
			}
		}()
		return here, nil
	}
}

// A server that does not answer leaves a fifth of the poll's time, in which the answers of the other servers are used.
func TestTimeOfOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, other := serve(true), serve(true, "END\r\n", "STAT uptime 1000\r\nEND\r\n")
		cfg := config()
		cfg.Servers = []string{"silent:11211", "other:11211"}
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "silent:11211" {
				return silent(ctx, network, address)
			}
			return other(ctx, network, address)
		}
		d := open(t, cfg, rosterOf("one"))
		begun := time.Now()
		p, err := d.Members(short(t, time.Second))
		require.NoError(t, err)
		require.Equal(t, 800*time.Millisecond, time.Since(begun))
		require.Equal(t, "unknown", verdictOf(p, "one"), "its heartbeat may be on the silent server")
	})
}

// A server that was restarted is trusted again once it has run for the settling time, plus less than a second, because it
// reports its uptime in whole seconds.
func TestSettlingTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const none = "END\r\n"
		running := func(seconds int) string { return fmt.Sprintf("STAT uptime %d\r\nEND\r\n", seconds) }
		cfg := config()
		cfg.ServiceDownTime = drivers.Duration(time.Minute) // so that one connection is used for so long
		cfg.Servers = []string{"mc:11211"}
		cfg.Dial = serve(true, none, running(1000), none /* of the other key format */, none, running(startUptime), none, running(startUptime+2), none, running(startUptime+3))
		d := open(t, cfg, rosterOf("one"))
		require.Equal(t, "down", verdictOf(poll(t, d), "one"))
		require.Equal(t, "unknown", verdictOf(poll(t, d), "one"), "the server was restarted")
		require.Equal(t, 2600*time.Millisecond, d.settling())
		time.Sleep(d.settling() - time.Millisecond)
		require.Equal(t, "unknown", verdictOf(poll(t, d), "one"))
		time.Sleep(time.Second)
		require.Equal(t, "down", verdictOf(poll(t, d), "one"))
	})
}

// A proxy may not know the command "stats". Its data then counts as old.
func TestServerWithoutStats(t *testing.T) {
	cfg := config()
	cfg.Servers, cfg.Dial = []string{"mc:11211"}, serve(true, "END\r\n", "ERROR\r\n", "END\r\n")
	d := open(t, cfg, rosterOf("one"))
	p := poll(t, d)
	require.Equal(t, "down", verdictOf(p, "one"))
	require.Equal(t, "memcached", p.Backend)
}

// The size of an answer is bounded.
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
	for range 2 { // Each operation may read maxAnswer bytes.
		require.NoError(t, conn.begin(time.Time{}))
		n, err := io.Copy(io.Discard, conn)
		require.Equal(t, int64(maxAnswer), n)
		require.ErrorContains(t, err, "more than 16777216 bytes")
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
		"other blanks":   {"VALUE k\v1 1 4000000000\r\n", "an item of 4000000000 bytes"},
		"longest line":   {good + strings.Repeat("x", maxLine) + "\n", ""},
		"longer line":    {good + strings.Repeat("x", maxLine+1), "a line of more than 1024 bytes"},
		"inside an item": {"VALUE k 1 22\r\nVALUE k 1 4000000000\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 3, 4096, 1 << 30} {
				var g guard
				var err error
				for part := range slices.Chunk([]byte(test.answer), size) {
					if err = g.check(part); err != nil {
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
	t.Parallel()
	s, err := readStats(strings.NewReader("STAT pid 1\r\nSTAT uptime 62\r\nSTAT version 1.6.18\r\nSTAT cmd_flush 3\r\nSTAT other\r\nEND\r\n"))
	require.NoError(t, err)
	require.Equal(t, stats{version: "1.6.18", age: time.Minute, flushes: 3, pid: 1}, s)
	s, err = readStats(strings.NewReader("STAT uptime 1\r\nEND\r\n"))
	require.NoError(t, err)
	require.Zero(t, s.age)
	s, err = readStats(strings.NewReader("END\r\n"))
	require.NoError(t, err)
	require.Equal(t, unknownAge, s.age, "a server that does not report its uptime counts as old")
}

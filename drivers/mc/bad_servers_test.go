package mc

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// An answer of any kind makes the driver neither crash, nor exhaust memory, nor wait without end, and the error says what
// is wrong.
func TestBadServers(t *testing.T) {
	once := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, text)
			_, _ = io.Copy(io.Discard, conn)
		}
	}
	endless := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			}
		}
	}
	for name, test := range map[string]struct {
		serve  func(net.Conn)
		says   string
		reason drivers.Reason
	}{
		"web server":     {once("HTTP/1.1 400 Bad Request\r\n\r\n"), `unexpected line in get response: "HTTP/1.1 400 Bad Request\r\n"`, drivers.ReasonQuery},
		"silence":        {once(""), "no answer in time: waited ", drivers.ReasonTimeout},
		"half an answer": {once("VALUE k 1 10\r\nabc"), "no answer in time: waited ", drivers.ReasonTimeout},
		"endless line":   {endless(strings.Repeat("x", 1000)), "a line of more than 1024 bytes", drivers.ReasonQuery},
		"endless items":  {endless("VALUE k 1 4096\r\n" + strings.Repeat("x", 4096) + "\r\n"), "more than 16777216 bytes", drivers.ReasonQuery},
		"4 GB":           {once("VALUE k 1 4000000000\r\n"), "an item of 4000000000 bytes", drivers.ReasonQuery},
		"4 GB, disguised": {
			once("VALUE k\v1 1 4000000000\r\n"), "an item of 4000000000 bytes", drivers.ReasonQuery,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.Servers = []string{testserver.FakeServer(t, test.serve)}
			patience := 2 * time.Second
			if test.reason != drivers.ReasonTimeout { // A busy machine needs longer to reach a bound.
				patience = time.Minute
				cfg.Timeout = drivers.Duration(patience)
			}
			d := open(t, cfg, rosterOf("one"))
			var err error
			requireAllocatesLess(t, 256<<20, func() { _, err = d.Members(short(t, patience)) })
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, cfg.Servers[0])
			require.Equal(t, test.reason, drivers.ReasonOf(err))
		})
	}
}

// requireAllocatesLess fails the test if do allocates more than limit bytes.
func requireAllocatesLess(t *testing.T, limit uint64, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, limit, "bytes allocated")
}

// A recording is a connection that reads recorded bytes and discards what is written.
type recording struct {
	net.Conn
	io.Reader
}

func (r recording) Read(p []byte) (int, error) { return r.Reader.Read(p) }

func (recording) Write(p []byte) (int, error) { return len(p), nil }

func (recording) Close() error { return nil }

func (recording) SetDeadline(time.Time) error { return nil }

// No answer makes the client panic, or allocate for data that the server did not send.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("VALUE k 1 7 42\r\nVALUE\r\n\r\nEND\r\n"))
	f.Add([]byte("VALUE k\x0b1 1 4000000000\r\n"))
	f.Add([]byte("VALUE  k 1 4000000000\r\nVALUE k 1 3\r\nEND\r\nVALUE k 1 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := newClient("127.0.0.1:1", recording{Reader: bytes.NewReader(answer)})
		requireAllocatesLess(t, 4*maxItem+64*uint64(len(answer)), func() {
			_ = c.use(t.Context(), func(c *client) error {
				items, err := c.getMany([]string{"k", "l"})
				for _, item := range items {
					_, _ = valueTime(item)
				}
				return err
			})
		})
		_, _ = readStats(bytes.NewReader(answer))
	})
}

// A server with accounts, which are not supported, is named as such, with the reason auth. docs/security.md says the same.
func TestAccountsAreRequired(t *testing.T) {
	t.Parallel()
	accounts := filepath.Join(t.TempDir(), "accounts")
	require.NoError(t, os.WriteFile(accounts, []byte("nova:secret\n"), 0o600))
	server := testserver.Memcached(t, "-Y", accounts)
	cfg := config()
	cfg.Servers = []string{server.Addr()}
	d := open(t, cfg, rosterOf("compute-01"))
	_, err := d.Members(t.Context())
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "%v", err)
	require.ErrorContains(t, err, "requires a login (SASL or -Y), which is not supported")
}

package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
)

// A listener is a client of a stream in fake time, where there are no sockets.
type listener struct {
	header http.Header
	status int

	mu    sync.Mutex
	heard bytes.Buffer
	ended bool
}

var _ http.Flusher = (*listener)(nil)

func (l *listener) Header() http.Header { return l.header }

func (l *listener) WriteHeader(status int) { l.status = status }

func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard.Write(p)
}

func (l *listener) Flush() {}

func (l *listener) SetWriteDeadline(time.Time) error { return nil }

// next returns what was received since the last call.
func (l *listener) next() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.heard.Reset()
	return l.heard.String()
}

func (l *listener) gone() bool {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// listen opens a stream. The returned function closes it.
func (b *bench) listen(path, lastID string) (l *listener, leave func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if lastID != "" {
		r.Header.Set(lastEventID, lastID)
	}
	l = &listener{header: make(http.Header)}
	go func() {
		b.handler.ServeHTTP(l, r)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = true
	}()
	return l, cancel
}

const pollA = "event: poll\ndata: {\"source\":\"a\"}\n\n"

// deathOf is a death that was seen after 119.5 s, the heartbeat timeout of a minute later than it can have been at the earliest.
func deathOf(id int, member string) string {
	return fmt.Sprintf("id: %d\nevent: death\ndata: {\"id\":%[1]d,\"time\":\"2000-01-01T00:01:59.5Z\",\"event\":\"death\","+
		"\"source\":\"a\",\"group\":\"web\",\"member\":%q,\"latency_seconds\":179.5}\n\n", id, member)
}

func TestStream(t *testing.T) {
	const start = 946684800000000
	inTime(t, func(t *testing.T) {
		b := newBench(t, "a")
		b.sources["a"].has(up("web", "w1"), up("web", "w2"))
		b.pollIn(0)
		all, leave := b.listen("/api/v1/events/stream", "")
		defer leave()
		other, leaveOther := b.listen("/api/v1/events/stream?member=w2&source=b", "")
		defer leaveOther()
		require.Equal(t, "id: 0\n\n"+pollA, all.next())
		require.Equal(t, "text/event-stream", all.header.Get("Content-Type"))
		require.Equal(t, "no-store", all.header.Get("Cache-Control"))
		require.Equal(t, "id: 0\n\n", other.next())

		time.Sleep(14500 * time.Millisecond)
		require.Empty(t, all.next())
		time.Sleep(time.Second)
		require.Equal(t, ": nothing new\n\n", all.next())
		require.Equal(t, ": nothing new\n\n", other.next())

		b.sources["a"].has(down("web", "w1"), up("web", "w2"))
		time.Sleep(104 * time.Second)
		require.Contains(t, all.next()+other.next(), "nothing new")
		b.pollIn(0) // Half a second before the stream looks at the polls again.
		require.Equal(t, deathOf(start+1, "w1"), all.next())
		time.Sleep(time.Second)
		require.Equal(t, pollA, all.next())
		require.NotContains(t, other.next(), "event:")
		b.configure("a", "b")
		time.Sleep(time.Second)
		require.Equal(t, "event: poll\ndata: {\"source\":\"b\"}\n\n", all.next())
		b.configure("a")
		time.Sleep(time.Second)
		require.Equal(t, "event: poll\ndata: {\"source\":\"b\"}\n\n", all.next())

		resumed, leaveResumed := b.listen("/api/v1/events/stream?after=7&group=web", strconv.Itoa(start))
		defer leaveResumed()
		require.Equal(t, fmt.Sprintf("id: %d\n\n", start)+pollA+deathOf(start+1, "w1"), resumed.next())
		kept, leaveKept := b.listen("/api/v1/events/stream?after=0&member=w1", "")
		require.Contains(t, kept.next(), deathOf(start+1, "w1"))
		leaveKept()
		require.True(t, kept.gone())

		// The program stops.
		require.False(t, all.gone())
		b.stop()
		require.True(t, all.gone())
		require.True(t, resumed.gone())
	})
}

func TestStreamsAreBounded(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "a")
		var leave func()
		for range maxStreams {
			_, leave = b.listen("/api/v1/events/stream", "")
		}
		synctest.Wait()
		status, body := b.get("/api/v1/events/stream")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.JSONEq(t, `{"error": "100 streams are in progress already"}`, body)
		leave()
		synctest.Wait()
		l, _ := b.listen("/api/v1/events/stream", "")
		require.Contains(t, l.next(), "event: poll")
		b.stop()
		synctest.Wait()
	})
}

func TestStreamFromABadID(t *testing.T) {
	b := newBench(t, "a")
	w := b.do(http.MethodGet, "/api/v1/events/stream", http.Header{http.CanonicalHeaderKey(lastEventID): {"one"}})
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.JSONEq(t, `{"error": "Last-Event-ID \"one\" is not an event ID"}`, w.Body.String())
}

// The connection of a client that does not read is closed.
func TestClientThatDoesNotRead(t *testing.T) {
	b := newBench(t, "a")
	b.api.writeTimeout = 100 * time.Millisecond
	for range keepEvents {
		happens(b.history, collector.EventDeath, strings.Repeat("m", 1000))
	}
	ended := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		b.handler.ServeHTTP(w, r)
	}))
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		require.NoError(t, c.(*net.TCPConn).SetWriteBuffer(4096))
		return ctx
	}
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	_, err = io.WriteString(conn, "GET /api/v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the stream did not end")
	}
}

// The write timeout of the server does not end a stream.
func TestStreamOutlivesTheWriteTimeout(t *testing.T) {
	const timeout = time.Second
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2=%t", http2), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "a")
			// This is what http.Server.WriteTimeout does for a request. It would bound the TLS handshake too.
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeout)))
				b.handler.ServeHTTP(w, r)
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/events/stream", nil)
			require.NoError(t, err)
			response, err := server.Client().Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, http2, response.ProtoMajor == 2)
			lines := bufio.NewScanner(response.Body)
			until(t, lines, "event: poll")
			time.Sleep(timeout + timeout/2)
			happens(b.history, collector.EventDeath, "m1")
			until(t, lines, "event: death")

			b.stop() // The stream ends with the history, not with an error.
			for lines.Scan() {
			}
			require.NoError(t, lines.Err())
		})
	}
}

// until reads lines up to the given one.
func until(t *testing.T, lines *bufio.Scanner, line string) {
	t.Helper()
	for lines.Scan() {
		if lines.Text() == line {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", line, lines.Err())
}

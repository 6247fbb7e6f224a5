package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// FuzzRequest requests any path with any query. The answer is quick, and JSON with an expected status.
func FuzzRequest(f *testing.F) {
	b := newBench(f, "a", "b")
	b.sources["a"].has(up("g", "\"\n<script>\u2028"), up("{{ $x }}", strings.Repeat("x", drivers.MaxText)), down("g", "\x00"))
	b.poll()
	b.sources["b"].fail()
	b.poll()
	for _, rt := range b.api.routes() {
		path := strings.TrimSuffix(rt.path, "{group...}")
		f.Add(path, "source=a&group=g&member=%00")
		for _, param := range rt.params {
			f.Add(path, param+"=-1")
			f.Add(path, param+"=99999999999999999999&"+param+"=%ff")
		}
	}
	f.Add("/sd/g/../..//%", "label.x=1;2&label.=%0a&port=0x10&all=true")
	f.Add("/api/v1/members", "limit=9223372036854775807&offset=9223372036854775807&q=%E2%80%A8")
	f.Fuzz(func(t *testing.T, path, query string) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so that streams end
		r := (&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}}).WithContext(ctx)
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, r)
		require.Contains(t, []int{200, 301, 307, 400, 404, 503}, w.Code)
		switch body := w.Body.Bytes(); w.Header().Get("Content-Type") {
		case "application/json":
			require.True(t, json.Valid(body), "%q", body)
			require.True(t, utf8.Valid(body))
		case "text/event-stream":
			for line := range strings.Lines(w.Body.String()) {
				require.Regexp(t, `^(id: \d+|event: [a-z_]+|data: \{.*\}|: nothing new)?\n$`, line)
			}
		}
	})
}

// Names with line breaks or field names of an event stay part of its data.
func TestNamesInStreams(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "a")
		all, leave := b.listen("/api/v1/events/stream", "")
		defer leave()
		b.poll()
		all.next()
		for _, name := range []string{"x\n\nid: 0\nevent: death\ndata: {}\n\n", "x\r\rdata: {}\r\r", "x\u2028y\u0085z", "\x00"} {
			b.sources["a"].has(up("g", name))
			b.pollIn(0)
			var named []string
			for line := range strings.Lines(all.next()) {
				if data, ok := strings.CutPrefix(line, "data: "); ok {
					var e Event
					decode(t, data, &e)
					named = append(named, e.Member)
				}
				require.Regexp(t, `^(id: \d+|event: [a-z_]+|data: \{[^\r]*\})?\n$`, line)
			}
			require.Contains(t, named, name)
		}
	})
}

// fill adds n members to a source, with names as in a cloud.
func (b *bench) fill(n int) {
	members := make([]drivers.Member, n)
	for i := range members {
		members[i] = up("compute", fmt.Sprintf("compute-%07d.cloud.example.com", i))
	}
	b.sources["a"].has(members...)
	b.poll()
}

// slow requests a path and reads only the header of the answer.
func slow(t *testing.T, addr, path string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 12))
	require.NoError(t, err)
	return conn
}

// Clients that do not read occupy at most all slots. Other clients then get an error at once, and no answer is encoded for
// them.
func TestSlowReaders(t *testing.T) {
	b := newBench(t, "a")
	b.fill(20_000)
	server := httptest.NewUnstartedServer(b.handler)
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		require.NoError(t, c.(*net.TCPConn).SetWriteBuffer(4096))
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	addr := server.Listener.Addr().String()
	var conns []net.Conn
	for i := range maxLong {
		conns = append(conns, slow(t, addr, []string{"/api/v1/members", "/sd/compute", "/api/v1/get-all?group=compute"}[i%3]))
	}
	w := b.do(http.MethodGet, "/api/v1/members", nil)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	require.JSONEq(t, `{"error": "40 long answers are in progress already: ask for less with the parameter limit, or retry later"}`, w.Body.String())
	b.ok("/api/v1/members?limit=100")
	for range maxAnswers - maxLong {
		b.api.answers <- struct{}{}
	}
	status, body := b.get("/api/v1/members?limit=1")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.JSONEq(t, `{"error": "100 answers are in progress already"}`, body)
	for range maxAnswers - maxLong {
		<-b.api.answers
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool {
		return b.do(http.MethodGet, "/api/v1/members", nil).Code == http.StatusOK
	}, patience, time.Millisecond)
}

// An answer of any size is written completely.
func TestLongAnswers(t *testing.T) {
	b := newBench(t, "a")
	b.fill(3_000)
	for path, count := range map[string]func(text string) int{
		"/api/v1/members": func(text string) int {
			var answer membersAnswer
			decode(t, text, &answer)
			require.Equal(t, len(answer.Members), answer.Total)
			return len(answer.Members)
		},
		"/sd/compute": func(text string) int {
			var targets []targetGroup
			decode(t, text, &targets)
			return len(targets)
		},
		"/api/v1/get-all?group=compute": func(text string) int {
			var answer struct {
				Members    []string `json:"members"`
				AgeSeconds float64  `json:"age_seconds"`
			}
			decode(t, text, &answer)
			return len(answer.Members)
		},
	} {
		for _, accept := range []string{"", "gzip"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Header.Set("Accept-Encoding", accept)
			w := httptest.NewRecorder()
			b.handler.ServeHTTP(w, r)
			require.Equal(t, http.StatusOK, w.Code)
			require.Empty(t, w.Header().Get("Content-Length"))
			require.Equal(t, accept, w.Header().Get("Content-Encoding"))
			require.Equal(t, 3_000, count(string(unzip(t, w))))
		}
	}
	w := b.do(http.MethodGet, "/api/v1/members?limit=3&offset=2999", nil)
	require.NotEmpty(t, w.Header().Get("Content-Length"))
	require.Contains(t, w.Body.String(), `"member":"compute-0002999.cloud.example.com"`)
	require.Equal(t, 1, strings.Count(w.Body.String(), `"member":"`))
}

// A brokenWriter is the connection of a client that goes away after some bytes.
type brokenWriter struct {
	http.ResponseWriter
	left int
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("broken pipe")
	}
	return len(p), nil
}

// Nothing more is encoded for a client that has gone.
func TestClientThatGoes(t *testing.T) {
	for _, compress := range []bool{false, true} {
		made := 0
		out := output{w: &brokenWriter{httptest.NewRecorder(), 200 << 10}, status: 200, compress: compress, long: make(chan struct{}, 1)}
		err := out.writeJSON(listAnswer{"[", func(yield func(any) bool) {
			for made < 1_000_000 && yield(fmt.Sprintf("%x %[1]d", made*7919)) {
				made++
			}
		}, "]"})
		require.EqualError(t, err, "broken pipe")
		require.Less(t, made, 100_000)
	}
}

// BenchmarkMillion measures answers with a million members.
func BenchmarkMillion(b *testing.B) {
	bench := newBench(b, "a")
	bench.fill(1_000_000)
	for _, path := range []string{
		"/api/v1/sources", "/api/v1/groups", "/api/v1/members?limit=100", "/api/v1/members?q=no-such&limit=100",
		"/api/v1/member?group=compute&member=compute-0999999.cloud.example.com", "/api/v1/members", "/sd/compute",
	} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
				w := discarding{httptest.NewRecorder()}
				bench.handler.ServeHTTP(w, r)
				require.Equal(b, http.StatusOK, w.Code)
			}
		})
	}
}

// A discarding client reads the answer and discards it.
type discarding struct{ *httptest.ResponseRecorder }

func (discarding) Write(p []byte) (int, error) { return len(p), nil }

package web

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// emptyCollector is a collector without sources.
type emptyCollector struct{}

func (emptyCollector) Snapshots() []collector.Snapshot { return nil }

func (emptyCollector) Detection() []collector.Detection { return nil }

func (emptyCollector) PastEvents(int64) []collector.Event { return nil }
func (emptyCollector) LastPastID() int64                  { return 0 }

func (emptyCollector) Subscribe(int) (<-chan collector.Event, func()) {
	return make(chan collector.Event), func() {}
}

// everything returns the handler of all paths.
func everything(t testing.TB) http.Handler {
	t.Helper()
	o := testOptions()
	o.Runbooks = NewRunbooks(fstest.MapFS{"index.html": {}, "x.html": {Data: []byte("<h1>x</h1>")}}, strings.ToLower)
	o.Reload = func() error { return nil }
	o.API = api.New(api.Options{Logger: o.Logger, Collector: emptyCollector{}, History: api.NewHistory(emptyCollector{})})
	handler, err := New(o)
	require.NoError(t, err)
	return handler
}

// allPaths returns one path for each registered pattern, with the methods that it allows.
func allPaths() map[string]string {
	const get = "GET, HEAD"
	return map[string]string{
		"/": get, "/member": get, "/hosts": get, "/host": get, "/assets/app.css": get, "/assets/": get, "/runbooks/": get, "/runbooks/x": get, "/metrics": get,
		"/-/healthy": get, "/-/ready": get, "/-/reload": "POST, PUT",
		"/api/v1/sources": get, "/api/v1/groups": get, "/api/v1/members": get, "/api/v1/member": get, "/api/v1/hosts": get, "/api/v1/hosts.schema.json": get, "/api/v1/host-down-webhook.schema.json": get, "/api/v1/events": get,
		"/api/v1/events/stream": get, "/api/v1/detection": get, "/api/v1/get-all": get, "/api/v1/get-one": get,
		"/api/v1/is-up": get, "/api/v1/openapi.yaml": get, "/api/": get, "/sd/compute": get,
	}
}

func TestMethodsOfAllPaths(t *testing.T) {
	handler := everything(t)
	for path, allow := range allPaths() {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "X"} {
			if strings.Contains(allow+",", method+",") {
				continue
			}
			status, want := http.StatusMethodNotAllowed, allow
			if method == http.MethodOptions {
				status, want = http.StatusNoContent, allow+", OPTIONS"
			}
			resp, _ := do(t, handler, method, path, nil)
			require.Equal(t, status, resp.StatusCode, "%s %s", method, path)
			require.Equal(t, want, resp.Header.Get("Allow"), "%s %s", method, path)
		}
	}
}

// The size of a request is bounded on every path, also where the path does not exist.
func TestRequestsAreBounded(t *testing.T) {
	r := serve(t, flagsOf("", "127.0.0.1:0"), everything(t), func(s *Server) {
		s.readHeaderTimeout, s.readTimeout = 2*time.Second, 2*time.Second
	})
	var asking sync.WaitGroup
	paths := allPaths()
	paths["/nowhere"], paths["/api/nowhere"] = "GET, HEAD", "GET, HEAD"
	for path, allow := range paths {
		method, _, _ := strings.Cut(allow, ",")
		begin := method + " " + path + " HTTP/1.1\r\nHost: x\r\n"
		for name, test := range map[string]struct {
			request string
			status  int // 0: the connection is closed without an answer
		}{
			"long header":        {begin + "X-Long: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n", 431},
			"many headers":       {begin + strings.Repeat("X: y\r\n", maxHeader/5) + "\r\n", 431},
			"long URL":           {method + " " + path + "?" + strings.Repeat("x", 2*maxHeader) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
			"slow header":        {begin + "X-Slow: ", 0},
			"long body":          {begin + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", maxBody+1, strings.Repeat("x", maxBody+1)), 413},
			"long chunks":        {begin + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 20), 413},
			"slow body":          {begin + "Content-Length: 10\r\n\r\nabc", 408},
			"slow chunks":        {begin + "Transfer-Encoding: chunked\r\n\r\n10\r\nabc", 408},
			"broken chunks":      {begin + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
			"two lengths":        {begin + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
			"a length of 1 EB":   {begin + "Content-Length: 9999999999999999999\r\n\r\n", 400},
			"negative length":    {begin + "Content-Length: -1\r\n\r\n", 400},
			"no host":            {method + " " + path + " HTTP/1.1\r\n\r\n", 400},
			"a blank in a name":  {begin + "Content-Length : 5\r\n\r\nhello", 400},
			"an unknown version": {method + " " + path + " HTTP/9.9\r\nHost: x\r\n\r\n", 505},
		} {
			conn := dial(t, r.addrs[0])
			asking.Go(func() {
				_, _ = io.WriteString(conn, test.request) // The server may close before it has all.
				status, closes := 0, true
				if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
					status, closes = answer.StatusCode, answer.Close
					answer.Body.Close()
				}
				if status != test.status || !closes {
					t.Errorf("%s, %s: status %d, not %d; closes: %t", path, name, status, test.status, closes)
				}
			})
		}
	}
	asking.Wait()
}

// A request with both a length and chunks may be an attempt to smuggle a second request past a proxy. The server reads the
// chunks and then closes the connection, as RFC 9112 requires in section 6.1.
func TestSmuggling(t *testing.T) {
	reloaded := make(chan struct{}, 1)
	o := testOptions()
	o.Reload = func() error { reloaded <- struct{}{}; return nil }
	r := serve(t, flagsOf("", "127.0.0.1:0"), newHandler(t, o), nil)
	conn := dial(t, r.addrs[0])
	_, err := io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+
		"POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	answers, _ := io.ReadAll(conn)
	require.NotContains(t, string(answers), "reloaded")
	require.Empty(t, reloaded)
}

// The body of a request that fails authentication is read for a bounded time.
func TestSlowBodyWithoutAuthentication(t *testing.T) {
	r := serve(t, flagsOf(writeWebConfig(t, t.TempDir(), users), "127.0.0.1:0"), everything(t), func(s *Server) {
		s.readTimeout = 200 * time.Millisecond
	})
	conn := dial(t, r.addrs[0])
	_, err := io.WriteString(conn, "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err, "the server closes the connection")
	require.Contains(t, string(answer), "401 Unauthorized")
}

// The read timeout of a request does not bound its answer.
func TestAnswersOutliveTheReadTimeout(t *testing.T) {
	const timeout = 100 * time.Millisecond
	o := testOptions()
	var ended error
	o.Poll = func(ctx context.Context) View {
		select {
		case <-ctx.Done():
		case <-time.After(5 * timeout):
		}
		ended = ctx.Err()
		return nil
	}
	dir := t.TempDir()
	client := writeCertificate(t, dir)
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	secure := writeWebConfig(t, dir, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}")
	handler := newHandler(t, o)
	for url, file := range map[string]string{"http://": "", "https://": secure} {
		r := serve(t, flagsOf(file, "127.0.0.1:0"), handler, func(s *Server) { s.readTimeout = timeout })
		status, _ := get(t, client, url+r.addrs[0]+"/metrics")
		require.Equal(t, 200, status)
		require.NoError(t, ended)
	}
}

// A client that floods the server with connections loses its own connections; a scrape is served at once.
func TestFloodOfConnections(t *testing.T) {
	const limit = 20
	var log bytes.Buffer
	r := serve(t, flagsOf("", "127.0.0.1:0"), newHandler(t, testOptions()), func(s *Server) {
		s.maxConns, s.logger = limit, slog.New(slog.NewTextHandler(&log, nil))
	})
	var flood []net.Conn
	for range 3 * limit {
		flood = append(flood, dial(t, r.addrs[0]))
		status, _ := get(t, http.DefaultClient, "http://"+r.addrs[0]+"/-/healthy")
		require.Equal(t, 200, status)
	}
	for _, conn := range flood[:2*limit] {
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "the connection was closed")
	}
	last := flood[len(flood)-1]
	_, err := io.WriteString(last, "GET /-/healthy HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(last)
	require.NoError(t, err)
	require.Contains(t, string(answer), "200 OK")
	for _, conn := range flood {
		require.NoError(t, conn.Close()) // A server that stops waits for connections that may be about to send a request.
	}
	r.stop()
	require.NoError(t, r.wait(t))
	require.Equal(t, 1, strings.Count(log.String(), `msg="Too many connections, closing those that have waited longest for a request" limit=20`))
}

// A connection with a request in progress is never closed to make room for others.
func TestConnLimitKeepsRequestsInProgress(t *testing.T) {
	c := newConnLimit(2, slog.New(slog.DiscardHandler))
	conns := make([]net.Conn, 4)
	closed := func(conn net.Conn) bool { return conn.SetDeadline(time.Time{}) != nil }
	for i := range conns {
		conns[i], _ = net.Pipe()
	}
	c.connState(conns[0], http.StateNew)
	c.connState(conns[0], http.StateActive)
	c.connState(conns[1], http.StateNew)
	c.connState(conns[2], http.StateNew)
	require.Equal(t, []bool{false, true, false}, []bool{closed(conns[0]), closed(conns[1]), closed(conns[2])})
	c.connState(conns[1], http.StateClosed)
	c.connState(conns[2], http.StateActive)
	c.connState(conns[3], http.StateNew)
	require.True(t, closed(conns[3]))
	require.Len(t, c.conns, 2)
	c.connState(conns[2], http.StateIdle)
	c.connState(conns[2], http.StateClosed)
	c.connState(conns[0], http.StateClosed)
	require.Empty(t, c.conns)
	require.Zero(t, c.idle.Len())
}

// FuzzHTTP sends any request that net/http can parse. There is always an answer, and its status is below 500.
func FuzzHTTP(f *testing.F) {
	handler := everything(f)
	for path, allow := range allPaths() {
		method, _, _ := strings.Cut(allow, ",")
		f.Add([]byte(method + " " + path + "?source=%00&x=%ff HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=1e9\r\nRange: bytes=9-1\r\n" +
			"X-Prometheus-Scrape-Timeout-Seconds: 1e-9\r\nLast-Event-ID: -1\r\nIf-None-Match: *\r\n\r\n"))
	}
	f.Add([]byte("POST //-/reload/../../metrics HTTP/1.0\r\nOrigin: null\r\nContent-Length: 2\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, request []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so that streams end
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(ctx))
		require.Less(t, w.Code, 500, "%s", w.Body)
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	})
}

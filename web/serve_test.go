package web

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/stretchr/testify/require"
)

const patience = time.Minute

// flagsOf returns the flags of the toolkit.
func flagsOf(configFile string, addresses ...string) *toolkit.FlagConfig {
	systemd := false
	return &toolkit.FlagConfig{
		WebListenAddresses: &addresses,
		WebSystemdSocket:   &systemd,
		WebConfigFile:      &configFile,
	}
}

// running is a server on real sockets.
type running struct {
	addrs []string
	stop  context.CancelFunc
	ended chan error
}

// serve starts a server after change was applied to it, and stops it when the test ends.
func serve(t *testing.T, flags *toolkit.FlagConfig, handler http.Handler, change func(*Server)) *running {
	t.Helper()
	server, err := Listen(t.Context(), flags, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	if change != nil {
		change(server)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{stop: cancel, ended: make(chan error, 1)}
	for _, addr := range server.Addrs() {
		r.addrs = append(r.addrs, addr.String())
	}
	go func() {
		r.ended <- server.Serve(ctx, handler)
		close(r.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range r.ended { // Until it has ended, whatever it returns.
		}
	})
	return r
}

// wait returns the error of Serve.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(patience):
		t.Fatal("the server did not end")
		return nil
	}
}

// fetch returns the status and the body of one request on a connection of its own.
func fetch(ctx context.Context, client *http.Client, url string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	r.Close = true
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	status, body, err := fetch(t.Context(), client, url)
	require.NoError(t, err)
	return status, body
}

func TestServeSeveralAddresses(t *testing.T) {
	r := serve(t, flagsOf("", "127.0.0.1:0", "127.0.0.1:0"), newHandler(t, testOptions()), nil)
	require.Len(t, r.addrs, 2)
	for _, addr := range r.addrs {
		status, body := get(t, http.DefaultClient, "http://"+addr+"/-/healthy")
		require.Equal(t, 200, status)
		require.Equal(t, "healthy\n", body)
	}
	r.stop()
	require.NoError(t, r.wait(t))
	for _, addr := range r.addrs {
		requireFree(t, addr)
	}
}

// requireFree checks that no server listens on an address any longer.
func requireFree(t *testing.T, addr string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestServeThatIsStoppedAtOnce(t *testing.T) {
	for range 20 {
		r := serve(t, flagsOf("", "127.0.0.1:0", "127.0.0.1:0"), http.NotFoundHandler(), nil)
		r.stop()
		require.NoError(t, r.wait(t))
	}
}

func TestShutdownFinishesTheScrapeUnderWay(t *testing.T) {
	polling, release := make(chan struct{}), make(chan struct{})
	o := testOptions()
	o.Poll = func(context.Context) View {
		close(polling)
		<-release
		return nil
	}
	r := serve(t, flagsOf("", "127.0.0.1:0"), newHandler(t, o), nil)
	type answer struct {
		status int
		body   string
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		status, body, err := fetch(t.Context(), http.DefaultClient, "http://"+r.addrs[0]+"/metrics")
		answers <- answer{status, body, err}
	}()
	<-polling
	r.stop()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.addrs[0])
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, patience, time.Millisecond, "no new connection is accepted")
	require.Empty(t, r.ended, "the server waits for the scrape")

	close(release)
	got := <-answers
	require.NoError(t, got.err)
	require.Equal(t, 200, got.status)
	require.Contains(t, got.body, "promhttp_metric_handler_requests_in_flight 1")
	require.NoError(t, r.wait(t))
}

func TestShutdownIsBounded(t *testing.T) {
	serving := make(chan struct{})
	stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(serving)
		<-r.Context().Done()
	})
	r := serve(t, flagsOf("", "127.0.0.1:0"), stuck, func(s *Server) { s.grace = 50 * time.Millisecond })
	conn := dial(t, r.addrs[0])
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-serving
	r.stop()
	require.NoError(t, r.wait(t))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "the connection is closed")
}

// dial opens a connection with a read deadline.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	return conn
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	r := serve(t, flagsOf("", "127.0.0.1:0"), newHandler(t, testOptions()),
		func(s *Server) { s.readHeaderTimeout = 50 * time.Millisecond })
	conn := dial(t, r.addrs[0])
	_, err := io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	if err != nil { // A server that has not read the header yet when its time is over resets the connection.
		require.ErrorIs(t, err, syscall.ECONNRESET, "the server closes the connection")
	}
	require.NotContains(t, string(answer), "200 OK")
}

func TestListenIsAllOrNothing(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())

	logger := slog.New(slog.DiscardHandler)
	_, err = Listen(t.Context(), flagsOf("", free.Addr().String(), taken.Addr().String()), logger)
	require.ErrorContains(t, err, `listening on "`+taken.Addr().String()+`": `)
	require.ErrorContains(t, err, "address already in use")
	requireFree(t, free.Addr().String())
}

func TestListenRefuses(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "web.yml")
	require.NoError(t, os.WriteFile(broken, []byte("tls_server_config: {cert_file: absent.pem, key_file: absent.key}"), 0o600))
	systemd := flagsOf("")
	*systemd.WebSystemdSocket = true
	for name, tt := range map[string]struct {
		flags *toolkit.FlagConfig
		want  string
	}{
		"no address":     {flagsOf(""), "no address to listen on"},
		"no port":        {flagsOf("", "127.0.0.1"), `listening on "127.0.0.1": `},
		"vsock port":     {flagsOf("", "vsock://:none"), `listening on "vsock://:none": `},
		"vsock big port": {flagsOf("", "vsock://:4294967296"), "the vsock port is not a number"},
		"no web config":  {flagsOf("/nonexistent/web.yml", "127.0.0.1:0"), "web configuration file /nonexistent/web.yml"},
		"bad web config": {flagsOf(broken, "127.0.0.1:0"), "absent.pem"},
		"no sockets":     {systemd, "systemd passed no listening socket"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Listen(t.Context(), tt.flags, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestClose(t *testing.T) {
	server, err := Listen(t.Context(), flagsOf("", "127.0.0.1:0"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, server.Close())
	require.NoError(t, server.Close())
	requireFree(t, server.Addrs()[0].String())
}

// A listener that fails ends the server with an error.
func TestServeEndsWithItsListener(t *testing.T) {
	var server *Server
	r := serve(t, flagsOf("", "127.0.0.1:0", "127.0.0.1:0"), http.NotFoundHandler(), func(s *Server) { server = s })
	require.NoError(t, server.listeners[1].Close())
	require.ErrorContains(t, r.wait(t), "serving "+r.addrs[1]+": ")
	requireFree(t, r.addrs[0])
}

// Two requests can share one connection.
func TestKeepAlive(t *testing.T) {
	r := serve(t, flagsOf("", "127.0.0.1:0"), newHandler(t, testOptions()), nil)
	conn := dial(t, r.addrs[0])
	answers := bufio.NewReader(conn)
	for range 2 {
		_, err := io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		resp, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "healthy", strings.TrimSpace(string(body)))
	}
}

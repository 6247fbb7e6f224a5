package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// The user is alice, the password wonderland.
const users = `
basic_auth_users:
  alice: $2a$04$MyQHs9yZAWwUCAJTsOusQe3cJMWm5HM2eUdz8XErmJT6LRW3odXBa
`

// writeCertificate writes the certificate of httptest into a directory, and returns a client that trusts it.
func writeCertificate(t *testing.T, dir string) *http.Client {
	t.Helper()
	ts := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(ts.Close)
	cert := ts.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	return ts.Client()
}

func writeWebConfig(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, "web.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestTLSAndBasicAuthOnEveryAddress(t *testing.T) {
	dir := t.TempDir()
	client := writeCertificate(t, dir)
	file := writeWebConfig(t, dir, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}"+users)
	r := serve(t, flagsOf(file, "127.0.0.1:0", "127.0.0.1:0"), newHandler(t, testOptions()), nil)
	for _, addr := range r.addrs {
		status, body := get(t, client, "https://"+addr+"/metrics")
		require.Equal(t, 401, status)
		require.NotContains(t, body, "promhttp")

		status, _ = get(t, client, "https://alice:guess@"+addr+"/metrics")
		require.Equal(t, 401, status)

		status, body = get(t, client, "https://alice:wonderland@"+addr+"/metrics")
		require.Equal(t, 200, status)
		require.Contains(t, body, "promhttp_metric_handler_requests_in_flight 1")

		status, _ = get(t, http.DefaultClient, "http://"+addr+"/metrics")
		require.Equal(t, 400, status, "plain HTTP is refused")
	}
	r.stop()
	require.NoError(t, r.wait(t))
}

// The API requires the same authentication as all other paths.
func TestBasicAuthOfTheAPI(t *testing.T) {
	o := testOptions()
	o.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { respond(w, "secret of "+r.URL.Path) })
	r := serve(t, flagsOf(writeWebConfig(t, t.TempDir(), users), "127.0.0.1:0"), newHandler(t, o), nil)
	for _, path := range []string{"/api/v1/members", "/api/v1/events/stream", "/sd/compute"} {
		status, body := get(t, http.DefaultClient, "http://"+r.addrs[0]+path)
		require.Equal(t, 401, status)
		require.NotContains(t, body, "secret")
		status, body = get(t, http.DefaultClient, "http://alice:wonderland@"+r.addrs[0]+path)
		require.Equal(t, 200, status)
		require.Equal(t, "secret of "+path+"\n", body)
	}
}

// A health check needs no password, as a kubelet has none, but TLS where the server has it. Its answer is the status alone.
func TestHealthChecksNeedNoPassword(t *testing.T) {
	dir := t.TempDir()
	client := writeCertificate(t, dir)
	ready := false
	o := testOptions()
	o.Ready = func() bool { return ready }
	o.Reload = func() error { return errors.New("reloaded without a password") }
	handler := newHandler(t, o)
	plain := serve(t, flagsOf(writeWebConfig(t, t.TempDir(), users), "127.0.0.1:0"), handler, nil).addrs[0]
	secure := serve(t, flagsOf(writeWebConfig(t, dir, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}"+users),
		"127.0.0.1:0", "127.0.0.1:0"), handler, nil).addrs[1]
	for _, url := range []string{"http://" + plain, "https://" + secure} {
		for _, test := range []struct {
			path, body string
			status     int
			ready      bool
		}{
			{"/-/healthy", "healthy\n", 200, false},
			{"/-/ready", "not ready\n", 503, false},
			{"/-/ready", "ready\n", 200, true},
			{"/-/reload", "Unauthorized\n", 401, true},
			{"/%2D/ready", "Unauthorized\n", 401, true},
			{"/-/ready/", "Unauthorized\n", 401, true},
			{"//-/ready", "Unauthorized\n", 401, true},
			{"/-/ready/../../metrics", "Unauthorized\n", 401, true},
		} {
			ready = test.ready
			status, body := get(t, client, url+test.path)
			require.Equal(t, test.status, status, test.path)
			require.Equal(t, test.body, body, test.path)
		}
		response, err := client.Post(url+"/-/ready", "", nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, 405, response.StatusCode)
	}
	status, _ := get(t, http.DefaultClient, "http://"+secure+"/-/healthy")
	require.Equal(t, 400, status, "plain HTTP is refused")
}

func TestHTTP2(t *testing.T) {
	dir := t.TempDir()
	client := writeCertificate(t, dir)
	for _, on := range []bool{true, false} {
		t.Run(strconv.FormatBool(on), func(t *testing.T) {
			file := writeWebConfig(t, dir, fmt.Sprintf(
				"tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nhttp_server_config: {http2: %t}", on))
			r := serve(t, flagsOf(file, "127.0.0.1:0"), newHandler(t, testOptions()), nil)
			dialer := &tls.Dialer{Config: &tls.Config{
				RootCAs:    client.Transport.(*http.Transport).TLSClientConfig.RootCAs,
				NextProtos: []string{"h2", "http/1.1"},
			}}
			conn, err := dialer.DialContext(t.Context(), "tcp", r.addrs[0])
			require.NoError(t, err)
			defer conn.Close()
			require.Equal(t, on, conn.(*tls.Conn).ConnectionState().NegotiatedProtocol == "h2")
		})
	}
}

func TestBasicAuthWithoutTLS(t *testing.T) {
	file := writeWebConfig(t, t.TempDir(), users)
	r := serve(t, flagsOf(file, "127.0.0.1:0"), newHandler(t, testOptions()), nil)
	status, _ := get(t, http.DefaultClient, "http://"+r.addrs[0]+"/")
	require.Equal(t, 401, status)
	status, _ = get(t, http.DefaultClient, "http://alice:wonderland@"+r.addrs[0]+"/")
	require.Equal(t, 200, status)
}

func TestHeadersOfTheWebConfig(t *testing.T) {
	file := writeWebConfig(t, t.TempDir(), "http_server_config: {headers: {X-Frame-Options: sameorigin}}")
	r := serve(t, flagsOf(file, "127.0.0.1:0"), newHandler(t, testOptions()), nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.addrs[0]+"/", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, []string{"sameorigin"}, resp.Header["X-Frame-Options"])
	require.Equal(t, []string{"nosniff"}, resp.Header["X-Content-Type-Options"])
}

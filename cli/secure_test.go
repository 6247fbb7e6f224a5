package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// servedPaths are all kinds of paths that are served, and some that don't exist.
func servedPaths() []string {
	return []string{
		"/", "/metrics", "/member?source=local&group=compute&member=c1", "/assets/app.css", "/-/healthy", "/-/ready", "/-/reload",
		"/runbooks/", "/runbooks/ServiceGroupMemberDown", "/sd/compute",
		"/api/v1/sources", "/api/v1/groups", "/api/v1/members", "/api/v1/member?member=c1", "/api/v1/events", "/api/v1/events/stream",
		"/hosts", "/host?host=c1", "/api/v1/hosts", "/api/v1/hosts.schema.json", "/api/v1/host-down-webhook.schema.json",
		"/api/v1/detection", "/api/v1/alerts", "/api/v1/get-all?group=compute", "/api/v1/get-one?group=compute", "/api/v1/is-up?group=compute&member=c1",
		"/api/v1/openapi.yaml", "/api/", "/nothing", "/debug/pprof/", "/debug/vars", "//metrics", "/assets/../metrics",
	}
}

// A secured is a process of the program that serves with TLS and a password.
type secured struct {
	cmd  *exec.Cmd
	addr string
	log  bytes.Buffer  // to be read once it has ended
	done chan struct{} // closed when it has
}

// serveSecurely starts the program with config.yml and web.yml, and waits until it answers.
func serveSecurely(t *testing.T, s *secretsTest) *secured {
	t.Helper()
	p := &secured{addr: fmt.Sprintf("127.0.0.1:%d", testserver.Port(t)), done: make(chan struct{})}
	p.cmd = exec.CommandContext(t.Context(), name, "--config.file="+filepath.Join(s.dir, "config.yml"),
		"--storage.path="+filepath.Join(s.dir, "storage"), "--web.listen-address="+p.addr,
		"--web.config.file="+filepath.Join(s.dir, "web.yml"), "--web.enable-lifecycle", "--log.level=debug")
	p.cmd.Env = append(os.Environ(), "GOTRACEBACK=all")
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // It is killed, or told to dump.
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // It may have ended.
		<-p.done
	})
	testserver.Eventually(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.addr+"/-/healthy", http.NoBody)
		require.NoError(t, err)
		response, err := newClient().Do(request)
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	}, patience, 20*time.Millisecond, "the program answers")
	return p
}

// newClient returns a client that accepts any certificate and follows no redirect.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask returns the status and what was received within some time, because a stream never ends. Without a password it sends no
// username.
func (p *secured) ask(t *testing.T, method, path, password string) (status int, answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "https://"+p.addr+path, http.NoBody)
	require.NoError(t, err)
	if password != "" {
		request.SetBasicAuth("alice", password)
	}
	response, err := newClient().Do(request)
	require.NoError(t, err, path)
	defer response.Body.Close()
	if response.Header.Get("Content-Type") == "text/event-stream" {
		time.AfterFunc(300*time.Millisecond, cancel)
	}
	body, err := io.ReadAll(response.Body)
	if !errors.Is(err, context.Canceled) {
		require.NoError(t, err, path)
	}
	headers := bytes.Buffer{}
	require.NoError(t, response.Header.Write(&headers))
	return response.StatusCode, headers.String() + string(body)
}

// Without the password every path is refused: pages, files, the API, and paths that don't exist. Only the health checks are answered, and
// say nothing else.
func TestNothingWithoutAPassword(t *testing.T) {
	s := &secretsTest{dir: t.TempDir()}
	certificate := testserver.NewAuthority(t).Issue("127.0.0.1")
	s.plant(t, "config.yml", "sources: [{name: local, driver: db, db: {dsn: \"sqlite:///"+s.dir+"/members.db\"}}]\n")
	s.plant(t, "web.yml", webConfig(certificate))
	p := serveSecurely(t, s)
	for _, path := range servedPaths() {
		if path == "/-/healthy" || path == "/-/ready" {
			_, answer := p.ask(t, http.MethodGet, path, "wrong")
			require.Regexp(t, "\n(healthy|ready)\n$", answer)
			continue
		}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodOptions} {
			for _, password := range []string{"", "wrong"} {
				status, answer := p.ask(t, method, path, password)
				require.Equal(t, http.StatusUnauthorized, status, "%s %s", method, path)
				require.Regexp(t, "(?s)Www-Authenticate: Basic\r\n(.*\r\nUnauthorized\n)?", answer)
				require.NotRegexp(t, "local|sources|service|compute", answer)
			}
		}
		status, _ := p.ask(t, http.MethodGet, path, "xyzzy-web")
		require.NotEqual(t, http.StatusUnauthorized, status, path)
	}
	response, err := http.Get("http://" + p.addr + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusBadRequest, response.StatusCode, "in the clear there is no answer")

	_, api := p.ask(t, http.MethodGet, "/api/nothing", "xyzzy-web")
	all := regexp.MustCompile(`/(api/v1/[a-z/.-]*[a-z]|sd/)`).FindAllString(api, -1)
	require.Greater(t, len(all), 5)
	for _, path := range all {
		require.Condition(t, func() bool {
			for _, served := range servedPaths() {
				if served == path || regexp.MustCompile("^"+regexp.QuoteMeta(path)+`([?]|\w)`).MatchString(served) {
					return true
				}
			}
			return false
		}, "the test does not know %s", path)
	}
}

package cli

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// planted are the prefixes of all secrets of these tests, so that each is found wherever it is written; the rest of a secret
// tells which one it is.
const planted = "xyzzy-"

// everySecret is a configuration with a secret in every place that takes one. Its backends refuse connections or don't exist.
const everySecret = `
sources:
  - {name: local, driver: db, db: {dsn: "sqlite:///%[1]s/members.db"}}
  - {name: inline, driver: db, db: {dsn: "mysql+pymysql://reader:xyzzy-inline@%[2]s/nova"}}
  - {name: go, driver: db, db: {dsn: "reader:xyzzy-go@tcp(%[2]s)/nova"}}
  - {name: of-file, driver: db, db: {dsn_file: dsn}}
  - {name: password, driver: db, db: {dsn: "mysql://reader@%[2]s/nova", password_file: password}}
  - {name: environment, driver: db, db: {dsn_env: XYZZY_DSN}}
  - {name: keywords, driver: db, db: {dsn: "host=127.0.0.1 port=1 user=u password='xyzzy-keywords' dbname=d", schema: heat}}
  - name: nova
    driver: db
    db:
      nova_conf: nova.conf
      cells: [{name: cell1, dsn: "mysql://cell:xyzzy-cell@%[2]s/nova"}, {name: cell2, dsn: "{scheme}://u:{password}@%[2]s/x"}]
    canary: {dsn: "mysql://canary:xyzzy-canary@%[2]s/nova", password: xyzzy-canary-password}
  - {name: zk, driver: zk, poll_timeout: 500ms, zk: {servers: ["127.0.0.1:1"], auth: {user: u, password: xyzzy-zk}}}
  - {name: zk-file, driver: zk, poll_timeout: 500ms, zk: {servers: ["127.0.0.1:1"], auth: {user: u, password_file: password}}}
  - {name: mc, driver: mc, mc: {servers: ["127.0.0.1:1"]}, roster: {db: {dsn: "mysql://reader:xyzzy-roster@%[2]s/nova"}}}
alerting:
  alertmanagers:
    - {url: "http://user:xyzzy-userinfo@%[3]s"}
    - {url: "http://%[3]s/basic", basic_auth: {username: u, password: xyzzy-basic}}
    - {url: "http://%[3]s/file", basic_auth: {username: u, password_file: password}}
    - {url: "http://%[3]s/credentials", authorization: {credentials: xyzzy-credentials}}
    - {url: "http://%[3]s/bearer", bearer_token: xyzzy-bearer}
    - {url: "http://%[3]s/oauth", oauth2: {client_id: c, client_secret: xyzzy-oauth, token_url: "http://%[3]s/token"}}
    - {url: "http://%[3]s/headers", http_headers: {X-Token: {secrets: [xyzzy-header]}, X-File: {files: [password]}}}
    - {url: "http://other:9093", proxy_url: "http://proxy:xyzzy-proxy@%[3]s"}
    - {url: "http://other:9094", proxy_url: "http://%[3]s", proxy_connect_header: {X-Token: [xyzzy-proxy-header]}}
  prometheus: {url: "http://user:xyzzy-prometheus@%[3]s"}
`

// A secretsTest is a configuration with secrets, and everything that the program wrote with it.
type secretsTest struct {
	dir    string
	config string
	mu     sync.Mutex
	wrote  map[string][]byte
}

// newSecretsTest writes the files with secrets.
func newSecretsTest(t *testing.T) *secretsTest {
	t.Helper()
	server := testserver.MariaDB(t) // which has none of these accounts
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusUnauthorized)
	}))
	t.Cleanup(refusing.Close)
	s := &secretsTest{dir: t.TempDir(), wrote: map[string][]byte{}}
	t.Setenv("XYZZY_DSN", "postgresql+psycopg2://reader:xyzzy-environment@127.0.0.1:1/neutron")
	s.config = fmt.Sprintf(everySecret, s.dir, server.Addr(), strings.TrimPrefix(refusing.URL, "http://"))
	certificate := testserver.NewAuthority(t).Issue("127.0.0.1")
	for name, text := range map[string]string{
		"config.yml": s.config,
		"password":   "xyzzy-file\n",
		"dsn":        "mysql+pymysql://reader:xyzzy%2Ddsn%2Dfile@" + server.Addr() + "/nova\n",
		"nova.conf": "[database]\nconnection = mysql://nova:xyzzy-database@" + server.Addr() + "/nova\n" +
			"[api_database]\nconnection = mysql://nova:xyzzy-api@" + server.Addr() + "/nova_api\n",
		"web.yml": webConfig(certificate),
	} {
		s.plant(t, name, text)
	}
	return s
}

// plant writes a file.
func (s *secretsTest) plant(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// webConfig allows the user alice with the password xyzzy-web.
func webConfig(certificate *testserver.Certificate) string {
	return fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\nbasic_auth_users:\n  alice: %s\n",
		certificate.CertFile, certificate.KeyFile, webPassword)
}

// webPassword is the bcrypt hash of xyzzy-web.
const webPassword = "$2a$04$6692oTKCsZrUYREVq75.6uOY2bbth24z470O79c1SrbXN79x6zRVq"

// get sends a request to the process, and keeps the answer.
func (s *secretsTest) get(t *testing.T, p *secured, method, path string) {
	t.Helper()
	_, answer := p.ask(t, method, path, "xyzzy-web")
	s.note(method+" "+path, []byte(answer))
}

func (s *secretsTest) note(where string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote[where] = append(s.wrote[where], text...)
}

// run runs a command, and keeps what it printed.
func (s *secretsTest) run(t *testing.T, args ...string) string {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), name, args...).CombinedOutput() // Most of these fail, which is what they are for.
	s.note(strings.Join(args, " "), out)
	return string(out)
}

// check searches all output for secrets, also in encoded form.
func (s *secretsTest) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	encoded := base64.StdEncoding.EncodeToString([]byte("u:" + planted)) // as in basic authentication
	leaked := regexp.MustCompile(`(?i)xyzzy(-|%2d|\\u002d)[a-z-]*|78797a7a792d|` + regexp.QuoteMeta(encoded[:10]) + `|\$2a\$`)
	for where, text := range s.wrote {
		for _, at := range leaked.FindAllIndex(text, 3) {
			t.Errorf("%s: a secret in %q", where, text[max(0, at[0]-100):min(len(text), at[1]+50)])
		}
	}
}

// The output of --config.check, for valid and invalid configurations, contains no secret.
func TestSecretsInErrors(t *testing.T) {
	s := newSecretsTest(t)
	file := filepath.Join(s.dir, "config.yml")
	require.Contains(t, s.run(t, "--config.file="+file, "--config.check"), "The configuration is valid")
	for _, broken := range [][2]string{
		{"driver: db", "driver: xyzzy"},
		{"mysql+pymysql://", "oracle://"},
		{"/nova\"}}", "\"}}"},
		{"schema: heat", "schema: het"},
		{"auth: {user: u, ", "auth: {"},
		{"url: \"http://user", "url: \"gopher://user"},
		{"http://user:xyzzy-userinfo@", "http://user:xyzzy-userinfo@%zz"},
		{"http://proxy:", "proxy:"},
		{"alerting:", "alerting: {external_url: \"http://u:xyzzy-external@h\", grafana_url: \"http://u:xyzzy-grafana@h\"}\nalertin:"},
		{"password: xyzzy-basic", "password: {xyzzy-basic: 1}"},
		{"password: xyzzy-zk", "passwrd: xyzzy-zk"},
		{"password_file: password", "password_file: xyzzy/absent"},
		{"@%[2]s", "@@:"},
	} {
		text := strings.ReplaceAll(s.config, broken[0], broken[1])
		s.plant(t, "config.yml", text)
		s.run(t, "--config.file="+file, "--config.check")
	}
	s.check(t)
}

// The output of commands, and the log and the answers of a server, contain no secret: while it can't connect, when it reloads,
// and when it prints its goroutines.
func TestSecretsWhileServing(t *testing.T) {
	s := newSecretsTest(t)
	file := filepath.Join(s.dir, "config.yml")
	s.run(t, "--config.file="+file, "--storage.path="+s.dir, "list", "--source=of-file")
	s.run(t, "--config.file="+file, "rules")
	s.run(t, "--config.file="+file, "--storage.path="+s.dir, "is-up", "--source=password", "compute", "c1")
	s.run(t, "--config.file="+file, "--storage.path="+s.dir, "join", "--source=inline", "compute", "c1", "--", "true")

	p := serveSecurely(t, s)
	for _, path := range servedPaths() {
		s.get(t, p, http.MethodGet, path)
	}
	s.get(t, p, http.MethodPost, "/-/reload")
	s.plant(t, "config.yml", strings.ReplaceAll(s.config, "driver: db", "driver: xyzzy"))
	s.get(t, p, http.MethodPost, "/-/reload")
	s.plant(t, "config.yml", strings.ReplaceAll(s.config, "xyzzy-", "xyzzy-new-"))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	s.get(t, p, http.MethodPost, "/-/reload")
	s.get(t, p, http.MethodGet, "/metrics")

	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	require.NoError(t, err)
	s.note("process list", line)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGQUIT))
	<-p.done
	s.note("log", p.log.Bytes())
	require.Contains(t, string(s.wrote["log"]), "goroutine ", "the process printed its goroutines")
	require.Contains(t, string(s.wrote["log"]), "Access denied")
	require.NoError(t, filepath.WalkDir(filepath.Join(s.dir, "storage"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		s.note(path, text)
		return err
	}))
	s.check(t)
}

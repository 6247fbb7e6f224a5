package browser

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// waitTimeout bounds each wait. It is long enough for a busy machine with few cores.
const waitTimeout = time.Minute

// hour is a heartbeat timeout that does not expire during a test. quick is a short poll interval.
const (
	hour  = time.Hour
	quick = 200 * time.Millisecond
)

// program is the path of the program under test. TestMain sets it.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sg-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, err = testserver.FindOrBuildExporter(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// An exporter is a running program with the command serve.
type exporter struct {
	t       *testing.T
	config  string // path of its configuration
	storage string
	address string
	process *testserver.Process
}

// serve starts the program with a configuration and waits until every source has been polled.
func serve(t *testing.T, configuration string) *exporter {
	t.Helper()
	dir := t.TempDir()
	e := &exporter{
		t: t, config: filepath.Join(dir, "config.yml"), storage: filepath.Join(dir, "data"),
		address: fmt.Sprintf("127.0.0.1:%d", testserver.Port(t)),
	}
	require.NoError(t, os.WriteFile(e.config, []byte(configuration), 0o600))
	e.process = testserver.Program(t, "exporter", e.command("--web.listen-address="+e.address), func() error { return testserver.ExporterReady(e.address) })
	return e
}

// command returns a command of the program with the exporter's configuration.
func (e *exporter) command(arguments ...string) []string {
	return append([]string{program, "--config.file=" + e.config, "--storage.path=" + e.storage}, arguments...)
}

// eventually waits until the response of a path has status 200 and contains a text.
func (e *exporter) eventually(path, part string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		response, err := http.Get(e.url(path))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return err == nil && response.StatusCode == http.StatusOK && strings.Contains(string(text), part)
	}, waitTimeout, 20*time.Millisecond, "%s does not contain %q", path, part)
}

func (e *exporter) url(path string) string { return "http://" + e.address + path }

// join starts a process that is a member.
func (e *exporter) join(group, member string) *testserver.Process {
	e.t.Helper()
	return testserver.Program(e.t, "member", e.command("join", group, member), func() error { return nil })
}

package browser

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

// start starts the program, and kills it when the test ends.
func start(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, arguments...)
	var out testserver.Log
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		kill(cmd)
		if t.Failed() {
			t.Logf("%v:\n%s", cmd.Args[1:], out.String())
		}
	})
	return cmd
}

// kill kills a process as kill -9 does, and waits until it has ended. It does nothing if the process has ended already.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// An exporter is a running program with the command serve.
type exporter struct {
	t       *testing.T
	config  string // path of its configuration
	storage string
	address string
	cmd     *exec.Cmd
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
	e.start()
	return e
}

func (e *exporter) start() {
	e.t.Helper()
	e.cmd = start(e.t, "--config.file="+e.config, "--storage.path="+e.storage, "--web.listen-address="+e.address)
	e.eventually("/-/ready", "ready\n")
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

// signal sends a signal to the program.
func (e *exporter) signal(sig syscall.Signal) {
	e.t.Helper()
	require.NoError(e.t, e.cmd.Process.Signal(sig))
}

func (e *exporter) url(path string) string { return "http://" + e.address + path }

// join starts a process that is a member.
func (e *exporter) join(group, member string) *exec.Cmd {
	e.t.Helper()
	return start(e.t, "join", "--config.file="+e.config, "--storage.path="+e.storage, group, member)
}

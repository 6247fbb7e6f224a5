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

// patience is how long a test waits for something that has to happen, on a busy machine with few cores.
const patience = 30 * time.Second

// hour is a down time in which nobody dies by itself, quick an interval of polls that nobody waits for.
const (
	hour  = time.Hour
	quick = 200 * time.Millisecond
)

// program is the path of the program under test, which TestMain builds.
var program string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sg-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "servicegroup_exporter")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
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

// kill ends a process as kill -9 does, and waits until it is gone. One that has ended already stays so.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// An exporter is the program, serving.
type exporter struct {
	t       *testing.T
	config  string // path of its configuration
	storage string
	address string
	cmd     *exec.Cmd
}

// serve starts the program with a configuration and waits until every source was polled.
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

// eventually waits until the answer of a path is a good one and contains a text.
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
	}, patience, 20*time.Millisecond, "%s does not say %q", path, part)
}

// signal sends the program a signal.
func (e *exporter) signal(sig syscall.Signal) {
	e.t.Helper()
	require.NoError(e.t, e.cmd.Process.Signal(sig))
}

func (e *exporter) url(path string) string { return "http://" + e.address + path }

// join runs a member in a process of its own.
func (e *exporter) join(group, member string) *exec.Cmd {
	e.t.Helper()
	return start(e.t, "join", "--config.file="+e.config, "--storage.path="+e.storage, group, member)
}

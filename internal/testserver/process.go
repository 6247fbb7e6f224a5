package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Process is one server that can be stopped, killed, frozen and started again with the same port and data. Its methods fail
// the test if they don't succeed.
type Process struct {
	t     TB
	name  string
	argv  []string
	env   []string
	log   string
	ready func() error // nil once the server answers

	cmd  *exec.Cmd     // the running process, nil when stopped
	done chan struct{} // closed when cmd has ended
}

// newProcess returns a process that it has started, and kills it when the test ends.
func newProcess(t TB, name, dir string, argv []string, ready func() error) *Process {
	t.Helper()
	p := &Process{t: t, name: name, argv: argv, log: filepath.Join(dir, name+".log"), ready: ready}
	t.Cleanup(p.cleanup)
	p.Start()
	return p
}

// Program starts any program, and waits until ready returns nil.
func Program(t TB, name string, argv []string, ready func() error) *Process {
	t.Helper()
	return newProcess(t, name, TempDir(t), argv, ready)
}

// Start starts the server and waits until it answers.
func (p *Process) Start() {
	p.t.Helper()
	p.StartOnly()
	p.WaitReady()
}

// StartOnly starts the server without waiting for it.
func (p *Process) StartOnly() {
	p.t.Helper()
	if p.cmd != nil {
		p.t.Fatalf("%s is running already", p.name)
	}
	started := make(chan error)
	p.done = make(chan struct{})
	go p.run(started, p.done)
	if err := <-started; err != nil {
		p.t.Fatalf("starting %s: %v", p.name, err)
	}
}

// run starts the process and waits for its end. The kernel kills the process when the thread that started it ends, so
// one locked thread does both: the server never outlives a test binary that was killed.
func (p *Process) run(started chan<- error, done chan<- struct{}) {
	runtime.LockOSThread()
	defer close(done)
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		started <- err
		return
	}
	defer log.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.cmd = cmd
	started <- nil
	_ = cmd.Wait() // The error is not needed: the test ended the server, or WaitReady reports that it ended.
}

// WaitReady waits until the server answers.
func (p *Process) WaitReady() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := p.ready()
		if err == nil {
			return
		}
		select {
		case <-p.done:
			p.t.Fatalf("%s ended while starting; its log:\n%s", p.name, p.Log())
		case <-ctx.Done():
			p.t.Fatalf("%s did not answer within %v: %v; its log:\n%s", p.name, startTimeout, err, p.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Pid returns the process id of the running server.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Stop asks the server to end and waits until it has.
func (p *Process) Stop() { p.t.Helper(); p.end(syscall.SIGTERM) }

// Kill ends the server as kill -9 does and waits until it has ended.
func (p *Process) Kill() { p.t.Helper(); p.end(syscall.SIGKILL) }

// Freeze pauses the server: connections stay open, but it does not answer. It returns when all threads are paused, because the
// signal reaches them one after another, and the server may answer until then.
func (p *Process) Freeze() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Pid()))
		if err == nil && len(threads) > 0 && !slices.ContainsFunc(threads, runs) {
			return
		}
	}
	p.t.Fatalf("%s did not freeze within %v", p.name, startTimeout)
}

// runs reports whether a thread is not paused. In the file its state follows its name, which is in parentheses.
func runs(stat string) bool {
	text, err := os.ReadFile(stat)
	return err == nil && !strings.Contains(string(text), ") T ")
}

// Thaw lets a frozen server continue.
func (p *Process) Thaw() { p.t.Helper(); p.signal(syscall.SIGCONT) }

// Log returns the last lines that the server printed.
func (p *Process) Log() string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

func (p *Process) signal(sig syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		p.t.Fatalf("%s is not running", p.name)
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("sending %v to %s: %v", sig, p.name, err)
	}
}

func (p *Process) end(sig syscall.Signal) {
	p.t.Helper()
	p.signal(sig)
	select {
	case <-p.done:
		p.cmd = nil
	case <-time.After(startTimeout):
		p.t.Fatalf("%s did not end within %v of %v; its log:\n%s", p.name, startTimeout, sig, p.Log())
	}
}

func (p *Process) cleanup() {
	if p.t.Failed() {
		p.t.Logf("log of %s:\n%s", p.name, p.Log())
	}
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Logf("killing %s: %v", p.name, err)
		return
	}
	<-p.done
	p.cmd = nil
}

// loopback returns the address of a port on this machine.
func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// Setenv adds variables, as "NAME=VALUE", to the server's environment. They take effect with the next start.
func (p *Process) Setenv(variables ...string) { p.env = append(p.env, variables...) }

// Crashed reports whether the server has ended by itself. It can then be started again.
func (p *Process) Crashed() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		p.cmd = nil
		return true
	default:
		return false
	}
}

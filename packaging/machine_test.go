package packaging

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is the timeout of the tests, on a busy machine with few cores.
const patience = time.Minute

// commandLimit bounds a command on the machine. A playbook takes minutes there.
const commandLimit = 5 * patience

// A machine is a Debian with systemd as process 1, in namespaces of its own. It has this host's files; its changes to them are
// discarded.
type machine struct {
	t   *testing.T
	log *bytes.Buffer
	pid string // of process 1
}

// boot starts a machine with the folder at /mnt. It needs root, for namespaces and mounts.
func boot(t *testing.T, folder string) *machine {
	t.Helper()
	require.Zero(t, os.Geteuid(), "installing packages needs root: run make test-packaging as root, or with sudo")
	group := newCgroup(t)
	m := &machine{t: t, log: new(bytes.Buffer)}
	ctx, shutDown := context.WithCancel(context.WithoutCancel(t.Context())) // The machine must still run when the cleanup reads its journal.
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net",
		"--fork", "--kill-child", "sh", "testdata/boot.sh", folder, t.TempDir())
	cmd.Stdout, cmd.Stderr = m.log, m.log
	// The group is the root of the machine's groups, so that systemd finds no processes of the host.
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	cmd.WaitDelay = patience
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		shutDown()
		_ = cmd.Wait() // The error says that it was killed.
		if t.Failed() {
			t.Logf("the machine's console:\n%s", m.log)
		}
	})
	m.pid = childOf(t, cmd.Process.Pid)
	m.eventually("systemctl is-system-running", "running")
	t.Cleanup(m.printJournal)
	return m
}

// printJournal prints the machine's journal if the test failed.
func (m *machine) printJournal() {
	if !m.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nsenter", "--all", "--target", m.pid, "journalctl", "--no-pager", "--output=cat").CombinedOutput()
	m.t.Logf("the machine's journal (%v):\n%s", err, out)
}

// newCgroup creates a control group that is removed when the test ends.
func newCgroup(t *testing.T) *os.File {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "findmnt", "--noheadings", "--output=TARGET", "--types=cgroup2").Output()
	require.NoError(t, err, "finding the control groups (version 2)")
	mounted, _, _ := strings.Cut(string(out), "\n")
	dir, err := os.MkdirTemp(strings.TrimSpace(mounted), filepath.Base(t.Name())+"-") //nolint:usetesting // It is a folder of control groups.
	require.NoError(t, err)
	t.Cleanup(func() { removeCgroup(t, dir) })
	group, err := os.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { group.Close() })
	return group
}

// removeCgroup waits until the processes in the group have ended, and removes it. They end with unshare.
func removeCgroup(t *testing.T, dir string) {
	require.Eventually(t, func() bool {
		var dirs []string
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for _, inner := range slices.Backward(dirs) {
			_ = os.Remove(inner)
		}
		_, err := os.Stat(dir)
		return os.IsNotExist(err)
	}, patience, 50*time.Millisecond)
}

// childOf waits until a process has exactly one child, and returns its id.
func childOf(t *testing.T, pid int) (child string) {
	t.Helper()
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
		child = strings.TrimSpace(string(data))
		return err == nil && child != ""
	}, patience, 10*time.Millisecond)
	return child
}

// try runs a shell command on the machine and returns its output, and an error if it fails.
func (m *machine) try(command string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "--all", "--target", m.pid, "sh", "-c", command)
	cmd.Env = append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") // not the programs of a user of this host
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a shell command on the machine, which must succeed, and returns its output.
func (m *machine) run(command string) string {
	m.t.Helper()
	out, err := m.try(command)
	require.NoError(m.t, err, "%s\n%s", command, out)
	return out
}

// fails runs a shell command on the machine, which must fail.
func (m *machine) fails(command string) {
	m.t.Helper()
	out, err := m.try(command)
	require.Error(m.t, err, "%s\n%s", command, out)
}

// write writes a file on the machine.
func (m *machine) write(path, text string) {
	m.t.Helper()
	m.run(fmt.Sprintf("mkdir -p %s && cat >%s <<'END'\n%s\nEND", filepath.Dir(path), path, text))
}

// script writes a command for the machine.
func (m *machine) script(name, text string) {
	m.t.Helper()
	m.write("/usr/local/bin/"+name, "#!/bin/sh\n"+text)
	m.run("chmod 755 /usr/local/bin/" + name)
}

// reader returns a reader that works in the folder /mnt of the machine, and has sudo.
func (m *machine) reader(replace ...string) *reader {
	m.t.Helper()
	m.script("sudo", `exec "$@"`)
	r := readerIn(m.t, "/mnt", func(command string) (string, error) { return m.try("cd /mnt && " + command) }, replace...)
	r.write = func(file, text string) {
		if !filepath.IsAbs(file) {
			file = filepath.Join("/mnt", file)
		}
		m.write(file, text)
	}
	return r
}

// serve serves a folder of the machine at http://127.0.0.1:8000.
func (m *machine) serve(folder string) {
	m.t.Helper()
	m.run("systemd-run --unit=files --working-directory=" + folder + " /usr/bin/python3 -m http.server --bind 127.0.0.1 8000")
	m.eventually("curl -sS http://127.0.0.1:8000/", "Directory listing")
}

// eventually runs a shell command on the machine until its output contains a text.
func (m *machine) eventually(command, want string) {
	m.t.Helper()
	var out string
	eventually(m.t, func() bool {
		out, _ = m.try(command)
		return strings.Contains(out, want)
	}, func() string { return fmt.Sprintf("%s: never %q, but:\n%s", command, want, out) })
}

// eventually waits until a condition is true. Otherwise the test fails with an explanation.
func eventually(t *testing.T, condition func() bool, explain func() string) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(explain())
		}
	}
}

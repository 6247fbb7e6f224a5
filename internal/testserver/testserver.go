// Package testserver starts the real servers that tests and benchmarks use: from Debian's packages, on free loopback ports,
// in temporary folders. It stops them by process id.
//
// A server that is not installed fails the test, with a message that names the Debian package.
package testserver

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// TB is the part of [testing.TB] that servers need. Programs that are not tests implement it with [Bench].
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// startTimeout is how long a server may take until it answers, on a busy machine with few cores.
const startTimeout = 90 * time.Second

// find returns the path of a program, or fails the test with the name of the Debian package that has it.
func find(t TB, program, debianPackage string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	// Daemons are in folders that are not in an ordinary user's PATH.
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		path := filepath.Join(dir, program)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: run `make deps`, or `apt-get install %s`", program, debianPackage)
	return ""
}

// Built returns the path of a program that `make evaluators` builds.
func Built(t TB, program string) string {
	t.Helper()
	path := filepath.Join(ModuleDir(t), "bin", program)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not built: run `make evaluators`", program)
	}
	return path
}

// newer is the environment variable with which tests start the releases of Prometheus and Alertmanager that `make evaluators` builds,
// instead of Debian's.
const newer = "SERVICEGROUP_TEST_NEWER"

// released returns the path of a program of Prometheus or Alertmanager, of the release that is to be tested. The name of the
// package is the one of the program in Debian, too, if that is longer.
func released(t TB, program, debianPackage string) string {
	t.Helper()
	if os.Getenv(newer) != "" {
		return Built(t, program)
	}
	if strings.HasSuffix(debianPackage, "-"+program) {
		program = debianPackage
	}
	return find(t, program, debianPackage)
}

// TempDir creates a folder with a short path, because the path of a socket may have at most 107 characters.
func TempDir(t TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatalf("making a temporary folder: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("removing a temporary folder: %v", err)
		}
	})
	return dir
}

// accepts returns an error if no server accepts TCP connections at addr.
func accepts(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	return conn.Close()
}

// FakeServer starts a TCP server that calls serve for each connection and then closes it. It returns its address.
func FakeServer(t TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// Eventually waits until a condition holds, and fails the test after timeout. Unlike testify's function of this name it runs
// the condition in the goroutine of the test, so that the condition may end the test.
func Eventually(t TB, condition func() bool, timeout, pause time.Duration, what string, args ...any) {
	t.Helper()
	for end := time.Now().Add(timeout); !condition(); time.Sleep(pause) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", timeout, fmt.Sprintf(what, args...))
		}
	}
}

// A Log stores what is written to it. It can be read concurrently. The zero value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

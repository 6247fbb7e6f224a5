// Package testserver starts the real servers that tests and benchmarks run against: from Debian's packages, on free
// loopback ports, in temporary folders, and stops them by process id.
//
// A server that is not installed fails the test and says what to install.
package testserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// TB is the part of [testing.TB] that servers need, so that programs that are not tests can start them too.
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// startTimeout bounds how long a server may take until it answers, on a busy machine with few cores.
const startTimeout = 90 * time.Second

// find returns the path of a program, or fails and says which Debian package has it.
func find(t TB, program, debianPackage string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	// Daemons live where the PATH of an ordinary user does not reach.
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		path := filepath.Join(dir, program)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: run `make deps`, or `apt-get install %s`", program, debianPackage)
	return ""
}

// TempDir makes a folder with a short path, since sockets' paths may have no more than 107 characters.
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

// accepts says whether somebody accepts TCP connections at addr.
func accepts(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	return conn.Close()
}

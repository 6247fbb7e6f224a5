package testserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports are below the range that Linux uses for outgoing connections (32768 and up), so that no client takes a server's port
// while the server is restarted.
const firstPort, lastPort = 20000, 32000

// Port returns a free loopback port, which is reserved until the test ends, also for other test processes on this machine.
// Servers can be stopped and started again on it.
func Port(t TB) int {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "servicegroup-test-ports")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatalf("reserving a port: %v", err)
	}
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		lock, err := reserve(filepath.Join(dir, strconv.Itoa(port)), port)
		if err != nil {
			continue
		}
		t.Cleanup(func() { lock.Close() })
		return port
	}
	t.Fatalf("no free port between %d and %d", firstPort, lastPort)
	return 0
}

// reserve locks the port's file for as long as the file is open, and checks that no process listens on the port.
func reserve(path string, port int) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, listener.Close()
}

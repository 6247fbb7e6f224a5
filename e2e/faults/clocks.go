package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"servicegroup_exporter/internal/testserver"
)

// shiftable lets a server live by a clock that can be set; its monotonic clock goes on. The server is started anew.
func shiftable(l *lab, server *testserver.Process) {
	libraries, err := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
	if err != nil || len(libraries) == 0 {
		l.Fatalf("libfaketime is not installed: run `make deps`, or `apt-get install libfaketime`")
	}
	setServerClock(l, 0)
	server.Stop()
	server.Setenv("LD_PRELOAD="+libraries[0], "FAKETIME_TIMESTAMP_FILE="+l.clockFile(), "FAKETIME_NO_CACHE=1",
		"FAKETIME_DONT_FAKE_MONOTONIC=1")
	server.Start()
}

func (l *lab) clockFile() string { return filepath.Join(l.dir, "faketime") }

// setServerClock sets the server's clock ahead. The file is replaced as a whole, as the server may read it at any time.
func setServerClock(l *lab, ahead time.Duration) {
	next := l.clockFile() + ".next"
	err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int(ahead.Seconds())), 0o644)
	if err == nil {
		err = os.Rename(next, l.clockFile())
	}
	if err != nil {
		l.Fatalf("setting the server's clock: %v", err)
	}
}

// A wallClock is the wall clock of an exporter, which can be set while it runs. Its program is [builds.shifted].
type wallClock struct {
	path   string
	offset []byte // seconds, in memory that the exporter has too
}

func newWallClock(l *lab) *wallClock {
	c := &wallClock{path: filepath.Join(l.dir, "wallclock")}
	var err error
	if c.offset, err = mapFile(c.path); err != nil {
		l.Fatalf("making a clock: %v", err)
	}
	l.Cleanup(func() { _ = unix.Munmap(c.offset) })
	return c
}

// set sets the exporter's clock ahead of the machine's.
func (c *wallClock) set(ahead time.Duration) {
	binary.NativeEndian.PutUint64(c.offset, uint64(int64(ahead.Seconds())))
}

func mapFile(path string) ([]byte, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := file.Truncate(8); err != nil {
		return nil, err
	}
	return unix.Mmap(int(file.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

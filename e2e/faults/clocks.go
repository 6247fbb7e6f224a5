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

// useSettableClock restarts a server with a wall clock that can be set. Its monotonic clock is not affected.
func useSettableClock(env *environment, server *testserver.Process) {
	libraries, err := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
	if err != nil || len(libraries) == 0 {
		env.Fatalf("libfaketime is not installed: run `make deps-ci`, or `apt-get install libfaketime`")
	}
	setServerClock(env, 0)
	server.Stop()
	server.Setenv("LD_PRELOAD="+libraries[0], "FAKETIME_TIMESTAMP_FILE="+env.clockFile(), "FAKETIME_NO_CACHE=1",
		"FAKETIME_DONT_FAKE_MONOTONIC=1")
	server.Start()
}

func (env *environment) clockFile() string { return filepath.Join(env.dir, "faketime") }

// setServerClock sets the server's clock ahead. It replaces the file atomically, because the server may read it at any time.
func setServerClock(env *environment, ahead time.Duration) {
	next := env.clockFile() + ".next"
	err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int(ahead.Seconds())), 0o644)
	if err == nil {
		err = os.Rename(next, env.clockFile())
	}
	if err != nil {
		env.Fatalf("setting the server's clock: %v", err)
	}
}

// A wallClock is the wall clock of an exporter that runs [builds.shifted]. It can be set while the exporter runs.
type wallClock struct {
	path   string
	offset []byte // seconds, in memory that is shared with the exporter
}

func newWallClock(env *environment) *wallClock {
	c := &wallClock{path: filepath.Join(env.dir, "wallclock")}
	var err error
	if c.offset, err = mapFile(c.path); err != nil {
		env.Fatalf("creating a clock: %v", err)
	}
	env.Cleanup(func() { _ = unix.Munmap(c.offset) })
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

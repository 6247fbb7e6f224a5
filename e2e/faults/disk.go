package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A disk is a small file system in memory, in the program's own mount namespace.
type disk struct {
	env  *environment
	path string
}

func newDisk(env *environment, name string, size int) *disk {
	d := &disk{env, filepath.Join(env.dir, name)}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		env.Fatalf("creating a folder: %v", err)
	}
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		env.Fatalf("mounting a file system: %v", err)
	}
	env.Cleanup(func() {
		if err := syscall.Unmount(d.path, syscall.MNT_DETACH); err != nil {
			env.Logf("unmounting: %v", err)
		}
	})
	return d
}

// remount mounts the disk again with other flags.
func (d *disk) remount(flags uintptr) {
	if err := syscall.Mount("", d.path, "", syscall.MS_REMOUNT|flags, ""); err != nil {
		d.env.Fatalf("mounting a file system again: %v", err)
	}
}

// fill fills the disk.
func (d *disk) fill() {
	file, err := os.Create(d.filler())
	if err != nil {
		d.env.Fatalf("filling a disk: %v", err)
	}
	defer file.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			d.env.Fatalf("filling a disk: %v", err)
		}
	}
}

// free removes what fill wrote.
func (d *disk) free() {
	if err := os.Remove(d.filler()); err != nil {
		d.env.Fatalf("emptying a disk: %v", err)
	}
}

func (d *disk) filler() string { return filepath.Join(d.path, "filler") }

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A disk is a small file system of its own, in memory, in the program's own mount namespace.
type disk struct {
	lab  *lab
	path string
}

func newDisk(l *lab, name string, size int) *disk {
	d := &disk{l, filepath.Join(l.dir, name)}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		l.Fatalf("making a folder: %v", err)
	}
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		l.Fatalf("mounting a file system: %v", err)
	}
	l.Cleanup(func() {
		if err := syscall.Unmount(d.path, syscall.MNT_DETACH); err != nil {
			l.Logf("unmounting: %v", err)
		}
	})
	return d
}

// fill leaves no room.
func (d *disk) fill() {
	file, err := os.Create(d.filler())
	if err != nil {
		d.lab.Fatalf("filling a disk: %v", err)
	}
	defer file.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			d.lab.Fatalf("filling a disk: %v", err)
		}
	}
}

// free gives the room back.
func (d *disk) free() {
	if err := os.Remove(d.filler()); err != nil {
		d.lab.Fatalf("emptying a disk: %v", err)
	}
}

func (d *disk) filler() string { return filepath.Join(d.path, "filler") }

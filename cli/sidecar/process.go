package sidecar

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Process is a process that is watched until it ends.
type Process interface {
	// Ended returns a channel that is closed when the process has ended.
	Ended() <-chan struct{}
	// Close ends the watch.
	Close()
}

// process watches a process by a pidfd, see pidfd_open(2). That needs no privilege, also for a process of another user.
type process struct {
	file  *os.File
	ended chan struct{}
}

// WatchProcess watches a process of this machine. The error wraps [unix.ESRCH] if there is none with this id.
func WatchProcess(pid int) (Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("watching process %d: %w", pid, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // With that, the runtime waits for it.
		_ = unix.Close(fd) // The first error says more.
		return nil, fmt.Errorf("watching process %d: %w", pid, err)
	}
	p := &process{file: os.NewFile(uintptr(fd), "pidfd"), ended: make(chan struct{})}
	raw, err := p.file.SyscallConn()
	if err != nil {
		p.file.Close()
		return nil, fmt.Errorf("watching process %d: %w", pid, err)
	}
	go func() {
		if raw.Read(hasEnded) == nil {
			close(p.ended)
		}
	}()
	return p, nil
}

// hasEnded reports whether the process of a pidfd has ended.
func hasEnded(fd uintptr) bool {
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // A descriptor is a small number.
	n, err := unix.Poll(polled, 0)
	return err == nil && n > 0
}

// Ended implements [Process].
func (p *process) Ended() <-chan struct{} { return p.ended }

// Close implements [Process].
func (p *process) Close() { p.file.Close() }

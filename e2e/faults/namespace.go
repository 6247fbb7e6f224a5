package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// inside marks the process that is in its own namespaces.
const inside = "SERVICEGROUP_FAULTS_INSIDE"

func isInside() bool { return os.Getenv(inside) != "" }

// enter runs this program again in a network and a mount namespace of its own, and returns its exit code. The kernel kills
// it when this process ends, with all that it started, and then removes both namespaces: nothing is left behind, however
// this ends.
func enter(args []string, out, progress io.Writer) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(progress, "faults: finding this program:", err)
		return 1
	}
	runtime.LockOSThread() // The kernel takes the end of the thread that starts a process for the end of its parent.
	defer runtime.UnlockOSThread()
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = out, progress
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintln(progress, "faults: making namespaces, which needs root or the right to make user namespaces:", err)
		return 1
	}
	return 0
}

// settle makes new namespaces fit to live in: mounts stay inside, and the loopback interface is up.
func settle() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to ourselves: %w", err)
	}
	if text, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("bringing the loopback interface up: %w: %s", err, text)
	}
	return nil
}

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

// insideVariable is the environment variable that marks the process in the namespaces.
const insideVariable = "SERVICEGROUP_FAULTS_INSIDE"

func isInside() bool { return os.Getenv(insideVariable) != "" }

// enter runs this program again in a new network and mount namespace, and returns its exit code. When this process ends, the
// kernel kills that program and its children, and removes the namespaces. This happens however the process ends.
func enter(args []string, out, progress io.Writer) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(progress, "faults: finding this program:", err)
		return 1
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread that started the process ends.
	defer runtime.UnlockOSThread()
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = out, progress
	cmd.Env = append(os.Environ(), insideVariable+"=1")
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
		fmt.Fprintln(progress, "faults: creating namespaces, which needs root or the right to create user namespaces:", err)
		return 1
	}
	return 0
}

// setUpNamespaces makes the mounts of the new namespace private, and brings up its loopback interface.
func setUpNamespaces() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if text, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("bringing the loopback interface up: %w: %s", err, text)
	}
	return nil
}

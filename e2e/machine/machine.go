// Package machine describes the machine and the revision that a report was measured on.
package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Describe returns the machine's CPU, memory and kernel, and the Go release.
func Describe() string {
	return fmt.Sprintf("%d cores of %s, %s, %s, %s", runtime.NumCPU(), cpuModel(), memory(), kernel(), runtime.Version())
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // Without the file, the result is GOARCH.
	_, after, found := strings.Cut(string(text), "model name")
	if !found {
		return runtime.GOARCH
	}
	_, model, _ := strings.Cut(after, ":")
	model, _, _ = strings.Cut(model, "\n")
	return strings.TrimSpace(model)
}

func memory() string {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return "memory unknown"
	}
	return fmt.Sprintf("%.0f GB of memory", float64(info.Totalram)*float64(info.Unit)/1e9)
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}

// Revision returns the git revision of the working tree.
func Revision() string {
	out, err := exec.CommandContext(context.Background(), "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

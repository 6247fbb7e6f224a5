package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"servicegroup_exporter/drill"
)

// printMachine says what was run, and where.
func (e *evaluation) printMachine(out io.Writer, loads [][]measured) {
	fmt.Fprintf(out, "Measured on %s: %d cores of %s, %s, %s, %s", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(),
		cpuModel(), memory(), kernel(), runtime.Version())
	seen := map[string]bool{}
	for _, r := range largest(loads) {
		if name := r.Driver + " " + r.Backend; !seen[name] {
			seen[name] = true
			fmt.Fprintf(out, ", %s", named(r.Driver, r.Backend))
		}
	}
	fmt.Fprintf(out, ", all on that machine, together with all members and the exporter. Revision %s.\n\n", revision())
	for _, kind := range slices.Sorted(maps.Keys(e.commands)) {
		fmt.Fprintf(out, "    %s    # %s\n", e.commands[kind], kind)
	}
	fmt.Fprintln(out)
}

// named adds the server's name where it says its version only.
func named(driver, backend string) string {
	if driver == "zk" {
		return "ZooKeeper " + backend
	}
	return backend
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // Nothing is known of the processor then.
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

func revision() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func cpuText(l *drill.Load) string {
	if l.BackendCPU == nil {
		return "not measured"
	}
	return fmt.Sprintf("%.1f %%", 100**l.BackendCPU/l.Seconds)
}

func bytesText(n float64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%.0f B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", n/1e3)
	}
	return fmt.Sprintf("%.1f MB", n/1e6)
}

func secondsText(s float64) string {
	switch {
	case s == 0:
		return "0"
	case s > -1 && s < 1:
		return fmt.Sprintf("%.0f ms", 1e3*s)
	case s < 600:
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.0f min", s/60)
}

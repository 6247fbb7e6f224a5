package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"servicegroup_exporter/e2e/machine"
	"servicegroup_exporter/probe/drill"
)

// printMachine prints where the drills ran, and their commands.
func (e *evaluation) printMachine(out io.Writer, loads [][]measured) {
	fmt.Fprintf(out, "Measured on %s: %s", time.Now().UTC().Format(time.DateOnly), machine.Describe())
	seen := map[string]bool{}
	for _, r := range largest(loads) {
		if name := r.Driver + " " + r.Backend; !seen[name] {
			seen[name] = true
			fmt.Fprintf(out, ", %s", serverName(r.Driver, r.Backend))
		}
	}
	fmt.Fprintf(out, ". Servers, members and exporter run on this one machine. Revision %s.\n\n", machine.Revision())
	for _, kind := range slices.Sorted(maps.Keys(e.commands)) {
		fmt.Fprintf(out, "    %s    # %s\n", e.commands[kind], kind)
	}
	fmt.Fprintln(out)
}

// serverName returns the name and version of a server. ZooKeeper reports only its version.
func serverName(driver, backend string) string {
	if driver == "zk" {
		return "ZooKeeper " + backend
	}
	return backend
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

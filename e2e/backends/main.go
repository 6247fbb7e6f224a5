// Backends compares a database, ZooKeeper and memcached: the load that members cause, the time until deaths are detected, and
// how often live members are reported dead. It starts real servers, and runs the exporter's own command drill on them with
// growing numbers of members and several heartbeat timeouts. It prints Markdown and writes plots.
//
// It needs the Debian packages that `make deps` installs. Run it in the folder e2e.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"servicegroup_exporter/internal/testserver"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run prints Markdown to out and its progress to progress. It returns the exit code.
func run(args []string, out, progress io.Writer) int {
	k := kingpin.New("backends", "Compare backends by drills.")
	short := k.Flag("short", "Use few members and one timeout, to check that everything works.").Bool()
	images := k.Flag("images", "Folder for the plots.").Default("../docs/images").String()
	spin := k.Flag("spin", "Keep one core busy until killed.").Hidden().Bool()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(progress, "backends:", err)
		return 2
	}
	if *spin {
		keepBusy()
	}
	b := &testserver.Bench{Out: progress}
	e := &evaluation{Bench: b, plan: fullPlan(), images: *images}
	if *short {
		e.plan = shortPlan()
	}
	return b.Run(func() { e.evaluate(out) })
}

// keepBusy uses a core until it receives SIGTERM.
func keepBusy() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for len(stop) == 0 {
	}
	os.Exit(0)
}

// A plan defines the drills.
type plan struct {
	members  []int         // of the drills that measure load, in increasing order
	timeout  time.Duration // heartbeat timeout of these drills
	baseline time.Duration // of these drills

	detectionMembers  int             // of the drills that measure detection
	detectionTimeouts []time.Duration // heartbeat timeouts of these drills

	busyMembers int // of the drills on a busy machine
}

func fullPlan() plan {
	return plan{
		members: []int{10, 100, 1000, 2000}, timeout: 4 * time.Second, baseline: 5 * time.Second,
		detectionMembers: 40, detectionTimeouts: []time.Duration{4 * time.Second, 8 * time.Second, 16 * time.Second},
		busyMembers: 500,
	}
}

func shortPlan() plan {
	return plan{
		members: []int{10, 50}, timeout: 4 * time.Second, baseline: 2 * time.Second,
		detectionMembers: 10, detectionTimeouts: []time.Duration{4 * time.Second},
		busyMembers: 20,
	}
}

// Backends compares what members cost a database, ZooKeeper and memcached, how soon deaths are noticed there, and how often
// the living are called dead. It starts real servers, and runs the exporter's own command drill against them with growing
// numbers of members and several timeouts. It prints Markdown and writes the plots.
//
// It needs the Debian packages that `make deps` installs, and is to be run in the folder e2e.
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

// run prints Markdown to out, and what is being done to progress. It returns the exit code.
func run(args []string, out, progress io.Writer) int {
	k := kingpin.New("backends", "Compares backends with drills.")
	short := k.Flag("short", "Few members and one timeout: whether everything works, not how well.").Bool()
	images := k.Flag("images", "Folder for the plots.").Default("docs/images").String()
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

// keepBusy uses a core until it is told to end.
func keepBusy() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for len(stop) == 0 {
	}
	os.Exit(0)
}

// A plan says what is measured.
type plan struct {
	members  []int           // of the drills that measure load, in growing order
	timeout  time.Duration   // of those drills
	timeouts []time.Duration // of the drills that measure detection
	few      int             // members of those
	busy     int             // members of the drills on a busy machine
	steady   time.Duration
}

func fullPlan() plan {
	return plan{
		members: []int{10, 100, 1000, 2000}, timeout: 4 * time.Second,
		timeouts: []time.Duration{4 * time.Second, 8 * time.Second, 16 * time.Second},
		few:      40, busy: 500, steady: 5 * time.Second,
	}
}

func shortPlan() plan {
	return plan{
		members: []int{10, 50}, timeout: 4 * time.Second, timeouts: []time.Duration{4 * time.Second},
		few: 10, busy: 20, steady: 2 * time.Second,
	}
}

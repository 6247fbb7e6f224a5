// Faults breaks what is around a real exporter with real members, one thing after the other, and counts what must not come
// of it: deaths of members that live, recoveries of members that are dead, and deaths that are not told, or told twice. It
// also measures how soon every member is known again, and how long a scrape took at most. Everything has a bound, and the
// program fails if one is passed.
//
// It needs Linux, the Debian packages that `make deps` installs, and root or the right to make user namespaces, and is to be
// run in the module's folder. All of it is in namespaces of its own, which the kernel removes with the program's last
// process: nothing here reaches the machine's network or its disks.
package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"

	"github.com/alecthomas/kingpin/v2"

	"servicegroup_exporter/internal/testserver"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run prints a table to out, and what happens meanwhile to progress. It returns the exit code.
func run(args []string, out, progress io.Writer) int {
	k := kingpin.New("faults", "Breaks things around a real exporter and counts what comes of it.")
	short := k.Flag("short", "Only faults that take seconds: what CI runs.").Bool()
	only := k.Flag("only", "Only faults of which LAB: FAULT matches this regular expression.").Default("").Regexp()
	atOnce := k.Flag("parallel", "Labs at once.").Default("4").Int()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(progress, "faults:", err)
		return 2
	}
	if !isInside() {
		return enter(args, out, progress)
	}
	if err := settle(); err != nil {
		fmt.Fprintln(progress, "faults:", err)
		return 1
	}
	programs, err := newBuilds()
	if err != nil {
		fmt.Fprintln(progress, "faults: making a folder:", err)
		return 1
	}
	defer programs.remove()
	results, code := runAll(choose(allLabs(), *short, *only), programs, max(*atOnce, 1), progress)
	if !report(out, results) {
		code = 1
	}
	return code
}

// choose leaves what is wanted of the labs.
func choose(all []labSpec, short bool, only *regexp.Regexp) []labSpec {
	var chosen []labSpec
	for _, l := range all {
		var faults []fault
		for _, f := range l.faults {
			if (f.quick || !short) && (only == nil || only.MatchString(l.name+": "+f.name)) {
				faults = append(faults, f)
			}
		}
		if l.faults = faults; len(faults) > 0 {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

// A result is what came of the faults of one lab.
type result struct {
	labSpec
	version  string // the backend's
	outcomes []outcome
}

// runAll runs labs side by side, since most of their time is waiting.
func runAll(labs []labSpec, programs *builds, atOnce int, progress io.Writer) (results []result, code int) {
	results = make([]result, len(labs))
	codes := make([]int, len(labs))
	slots := make(chan struct{}, atOnce)
	log := &lines{out: progress}
	var running sync.WaitGroup
	for i, spec := range labs {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i].labSpec = spec
			b := &testserver.Bench{Out: log.named(spec.name)}
			codes[i] = b.Run(func() { breakThings(b, programs, &results[i]) })
		})
	}
	running.Wait()
	for i := range labs {
		code = max(code, codes[i])
	}
	return results, code
}

// breakThings lets one fault after the other occur in a lab.
func breakThings(b *testserver.Bench, programs *builds, r *result) {
	l := newLab(b, programs, r.labSpec)
	r.version = l.version()
	for i := range r.faults {
		f := &r.faults[i]
		b.Logf("%s", f.name)
		o := l.undergo(f)
		for _, p := range o.problems {
			b.Logf("%s: FAILED: %s", f.name, p)
		}
		if len(o.problems) > 0 {
			l.explain()
		}
		r.outcomes = append(r.outcomes, o)
	}
}

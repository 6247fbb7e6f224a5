// Faults injects faults around a real exporter with real members, one after the other. It counts what must not happen: deaths
// of live members, recoveries of dead members, and deaths that are reported never or twice. It also measures how soon the
// state of every member is known again, and the longest scrape. Every measure has a bound, and the program fails if a bound is
// exceeded.
//
// It needs Linux, the Debian packages that `make deps-ci` installs, and root or the right to create user namespaces. Run it in
// the folder e2e. It runs in its own namespaces, which the kernel removes with the last process of the program, so it does not
// affect the machine's network or disks.
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

// run prints a table to out and its progress to progress. It returns the exit code.
func run(args []string, out, progress io.Writer) int {
	k := kingpin.New("faults", "Inject faults around a real exporter and count wrong events.")
	short := k.Flag("short", "Run only the faults that take seconds, as CI does.").Bool()
	only := k.Flag("only", "Run only the faults whose \"ENVIRONMENT: FAULT\" matches this regular expression.").Default("").Regexp()
	parallel := k.Flag("parallel", "Number of environments that run at once.").Default("4").Int()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(progress, "faults:", err)
		return 2
	}
	if !isInside() {
		return enter(args, out, progress)
	}
	if err := setUpNamespaces(); err != nil {
		fmt.Fprintln(progress, "faults:", err)
		return 1
	}
	builds, err := newBuilds()
	if err != nil {
		fmt.Fprintln(progress, "faults: creating a folder:", err)
		return 1
	}
	defer builds.remove()
	results, code := runAll(choose(allEnvironments(), *short, *only), builds, max(*parallel, 1), progress)
	if !report(out, results) {
		code = 1
	}
	return code
}

// choose returns the environments with the selected faults.
func choose(all []environmentSpec, short bool, only *regexp.Regexp) []environmentSpec {
	var chosen []environmentSpec
	for _, env := range all {
		var faults []fault
		for _, f := range env.faults {
			if (f.quick || !short) && (only == nil || only.MatchString(env.name+": "+f.name)) {
				faults = append(faults, f)
			}
		}
		if env.faults = faults; len(faults) > 0 {
			chosen = append(chosen, env)
		}
	}
	return chosen
}

// A result is the outcomes of the faults of one environment.
type result struct {
	environmentSpec
	version  string // of the backend's server
	outcomes []outcome
}

// runAll runs environments concurrently, because they mostly wait.
func runAll(specs []environmentSpec, builds *builds, parallel int, progress io.Writer) (results []result, code int) {
	results = make([]result, len(specs))
	codes := make([]int, len(specs))
	slots := make(chan struct{}, parallel)
	log := &prefixer{out: progress}
	var running sync.WaitGroup
	for i, spec := range specs {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i].environmentSpec = spec
			b := &testserver.Bench{Out: log.named(spec.name)}
			codes[i] = b.Run(func() { runFaults(b, builds, &results[i]) })
		})
	}
	running.Wait()
	for i := range specs {
		code = max(code, codes[i])
	}
	return results, code
}

// runFaults runs the faults of an environment, one after the other.
func runFaults(b *testserver.Bench, builds *builds, r *result) {
	env := newEnvironment(b, builds, r.environmentSpec)
	r.version = env.version()
	for i := range r.faults {
		f := &r.faults[i]
		b.Logf("%s", f.name)
		o := env.runFault(f)
		for _, p := range o.problems {
			b.Logf("%s: FAILED: %s", f.name, p)
		}
		if len(o.problems) > 0 {
			env.logDetails()
		}
		r.outcomes = append(r.outcomes, o)
	}
}

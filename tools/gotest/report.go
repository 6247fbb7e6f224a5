package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// An event is a line of `go test -json`, as `go doc test2json` describes it.
type event struct {
	Action  string
	Package string
	Test    string // "" is the package itself
	Output  string
	Elapsed float64 // seconds
}

// A report collects the events of a run. Its methods may be called at the same time.
type report struct {
	mu          sync.Mutex
	out         io.Writer
	began       time.Time
	printed     time.Time // when the last line was printed
	downloading int       // modules
	running     map[string]*pkg
	passed      int
	failed      []string // packages
}

// A pkg is a package whose tests run.
type pkg struct {
	began  time.Time
	output []event  // of the package and of the tests that have not passed
	failed []string // tests
}

func newReport(out io.Writer, now time.Time) *report {
	return &report{out: out, began: now, printed: now, running: map[string]*pkg{}}
}

// readEvents reads until the run ends. A line that is no event is printed.
func (r *report) readEvents(stream io.Reader) {
	for lines := bufio.NewReader(stream); ; {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) == nil:
			r.add(e, time.Now())
		default:
			r.message(strings.TrimSuffix(string(line), "\n"))
		}
		if err != nil {
			return
		}
	}
}

// message prints a line that the go command wrote to its standard error. The names of the modules that it downloads are only
// counted.
func (r *report) message(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.HasPrefix(line, "go: downloading ") {
		r.downloading++
		return
	}
	r.print(line)
}

// add notes an event. It prints a line when a package has ended.
func (r *report) add(e event, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.running[e.Package]
	switch {
	case e.Action == "build-output":
		r.print(strings.TrimSuffix(e.Output, "\n"))
	case e.Package == "":
	case e.Action == "start" || p == nil:
		p = &pkg{began: now}
		r.running[e.Package] = p
	}
	switch {
	case p == nil:
	case strings.HasPrefix(e.Output, "=== "): // RUN, PAUSE, CONT or NAME
	case e.Action == "output":
		p.output = append(p.output, e)
	case e.Test != "" && e.Action == "fail":
		p.failed = append(p.failed, e.Test)
	case e.Test != "" && (e.Action == "pass" || e.Action == "skip"):
		p.output = slices.DeleteFunc(p.output, func(o event) bool { return o.Test == e.Test })
	case e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
		delete(r.running, e.Package)
		r.endPackage(p, e)
	}
}

// endPackage prints the result of a package, and the output of it and of its failed tests if it failed.
func (r *report) endPackage(p *pkg, e event) {
	name := shortName(e.Package)
	switch {
	case e.Action == "skip": // It has no tests.
	case e.Action == "pass" && slices.ContainsFunc(p.output, func(o event) bool { return strings.Contains(o.Output, "\t(cached)") }):
		r.passed++
		r.print(fmt.Sprintf("  ok     (cached)  %s", name))
	case e.Action == "pass":
		r.passed++
		r.print(fmt.Sprintf("  ok    %7.1f s  %s", e.Elapsed, name))
	default:
		r.failed = append(r.failed, strings.Join(append([]string{name}, p.failed...), " "))
		for _, o := range p.output {
			fmt.Fprint(r.out, o.Output)
		}
		r.print(fmt.Sprintf("  FAIL  %7.1f s  %s", e.Elapsed, name))
	}
}

// printProgress prints what runs whenever nothing was printed for interval, until the run has ended.
func (r *report) printProgress(ended <-chan struct{}) {
	for ticks := time.NewTicker(time.Second); ; {
		select {
		case <-ended:
			ticks.Stop()
			return
		case now := <-ticks.C:
			r.mu.Lock()
			if now.Sub(r.printed) >= interval {
				r.print(r.progress(now))
			}
			r.mu.Unlock()
		}
	}
}

// progress returns a line about what happens now.
func (r *report) progress(now time.Time) string {
	var running []string
	for _, name := range slices.Sorted(maps.Keys(r.running)) {
		running = append(running, fmt.Sprintf("%s (%.0f s)", shortName(name), now.Sub(r.running[name].began).Seconds()))
	}
	doing := "running " + strings.Join(running, ", ")
	if len(running) == 0 {
		doing = "compiling the tests"
	}
	if r.downloading > 0 && r.passed+len(r.failed)+len(running) == 0 {
		doing = fmt.Sprintf("compiling the tests; %d modules downloaded", r.downloading)
	}
	return fmt.Sprintf("  %.0f s: %s", now.Sub(r.began).Seconds(), doing)
}

func (r *report) print(line string) {
	fmt.Fprintln(r.out, line)
	r.printed = time.Now()
}

// end prints the number of packages and returns an error that names the packages and tests that failed. result is that of
// `go test`.
func (r *report) end(result error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, p := range r.running {
		for _, o := range p.output {
			fmt.Fprint(r.out, o.Output)
		}
		r.failed = append(r.failed, shortName(name)+" (did not end)")
	}
	switch {
	case len(r.failed) > 0:
		return errors.New(strings.Join(r.failed, "\nFAIL: "))
	case result != nil:
		return fmt.Errorf("running go test: %w", result)
	case r.passed == 0:
		return errors.New("no package has tests")
	}
	r.print(fmt.Sprintf("  %d packages passed in %.0f s", r.passed, time.Since(r.began).Seconds()))
	return nil
}

// shortName returns a package's path in the module.
func shortName(importPath string) string {
	return strings.TrimPrefix(importPath, "servicegroup_exporter/")
}

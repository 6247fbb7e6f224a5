// Suspicion compares how soon and how rightly failure detectors know of a death: this program's own, and others. It replays heartbeats that
// were recorded in a real Nova while it was left alone, loaded and harmed (testdata/README.md), and heartbeats that it makes. It prints
// Markdown and writes plots. Time is virtual, so the results are the same on every machine.
//
// Run it in the folder e2e.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute prints Markdown to out and errors to progress. It returns the exit code.
func execute(args []string, out, progress io.Writer) int {
	k := kingpin.New("suspicion", "Compare failure detectors on recorded and made heartbeats.")
	short := k.Flag("short", "Compare little, to check that everything works.").Bool()
	images := k.Flag("images", "Folder for the plots.").Default("../docs/images").String()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(progress, "suspicion:", err)
		return 2
	}
	p := fullPlan()
	if *short {
		p = shortPlan()
	}
	if err := compare(out, p, *images); err != nil {
		fmt.Fprintln(progress, "suspicion:", err)
		return 1
	}
	return 0
}

func compare(out io.Writer, p plan, images string) error {
	tr, err := recorded()
	if err != nil {
		return fmt.Errorf("reading the recording: %w", err)
	}
	e := newEvaluation(tr, usualLead, p.kills)
	for _, t := range p.tables {
		scores := e.scores(t)
		e.printScores(out, t, scores)
		name := fmt.Sprintf("evaluation-suspicion-%s.svg", t.interval)
		if err := os.WriteFile(filepath.Join(images, name), chart(t, scores).SVG(), 0o644); err != nil {
			return fmt.Errorf("writing a plot: %w", err)
		}
		fmt.Fprintf(out, "![Deaths known, polls every %s](images/%s)\n\n", t.interval, name)
	}
	section := func(title string) { fmt.Fprintf(out, "### %s\n\n", title) }
	section("What the guard costs")
	e.printDelays(out, p.killsInStall)
	section("Many die at once")
	printTogether(out, p.together)
	section("Hosts")
	printHosts(out, tr, p)
	section("Made stalls, restarts and deaths")
	tallyUp(p.made).print(out)
	return nil
}

package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"servicegroup_exporter/e2e/plot"
	"servicegroup_exporter/probe/drill"
)

// A measured is a drill and what it was about.
type measured struct {
	lab     lab
	timeout time.Duration
	*drill.Report
}

// joinRate is how many members join in a second.
const joinRate = "400"

// measureLoad lets more and more members live, one lab after the other, so that each has the machine for itself.
func (e *evaluation) measureLoad() [][]measured {
	runs := make([][]measured, len(e.labs))
	for i, l := range e.labs {
		for _, n := range e.members {
			runs[i] = append(runs[i], e.loadDrill("load", l, n))
		}
	}
	return runs
}

// loadDrill measures the load of members that live, and then what happens when a tenth of them dies and a tenth loses the
// network.
func (e *evaluation) loadDrill(kind string, l lab, members int) measured {
	r, err := e.drill(kind, l, e.timeout, "--members="+strconv.Itoa(members), "--rate="+joinRate,
		"--kill=0.1", "--cut=0.05", "--freeze=0.05", "--flap=0", "--steady="+e.steady.String(), "--duration=10s")
	if err != nil {
		e.Fatalf("%v", err)
	}
	return measured{l, e.timeout, r}
}

// extrapolated is how many members the load is extrapolated to.
const extrapolated = 10_000

func (e *evaluation) printLoad(out io.Writer, runs [][]measured) {
	fmt.Fprintf(out, "### Load against the number of members\n\n")
	fmt.Fprintf(out, "Timeout %v; heartbeats every %v in db and mc. What members that live cost each second, over %v, and what one poll "+
		"of this exporter costs, which polls every %v.\n\n", e.timeout, e.timeout/beats, e.steady, pollInterval)
	fmt.Fprintln(out, "| backend | members | requests of members | bytes to and from them | processor time of the servers | requests of a poll | bytes of a poll |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, lab := range runs {
		for _, r := range lab {
			l := r.Baseline
			polls := l.Seconds / r.PollInterval
			fmt.Fprintf(out, "| %s | %d | %.0f/s | %s/s | %s | %.1f | %s |\n", r.lab.name, r.Members,
				l.PerSecond(l.Members.Sends), bytesText(l.PerSecond(l.Members.BytesOut+l.Members.BytesIn)), cpuText(l),
				float64(l.Observer.Sends)/polls, bytesText(float64(l.Observer.BytesOut+l.Observer.BytesIn)/polls))
		}
	}
	for _, r := range largest(runs) {
		l, scale := r.Baseline, float64(extrapolated)/float64(r.Members)
		cpu := "not measured"
		if l.BackendCPU != nil {
			cpu = fmt.Sprintf("%.0f %%", scale*100**l.BackendCPU/l.Seconds)
		}
		fmt.Fprintf(out, "| %s | *%d, extrapolated* | *%.0f/s* | *%s/s* | *%s* | | |\n", r.lab.name, extrapolated,
			scale*l.PerSecond(l.Members.Sends), bytesText(scale*l.PerSecond(l.Members.BytesOut+l.Members.BytesIn)), cpu)
	}
	fmt.Fprintf(out, "\nRows in italics were not measured: they are the last measured row times the ratio of members. Longer timeouts cost "+
		"less in proportion: with Nova's own 60 s and a heartbeat every 10 s, db and mc have %.2g of these requests; ZooKeeper "+
		"with 10 s has %.2g.\n\n", e.timeout.Seconds()/beats/10, e.timeout.Seconds()/10)
	fmt.Fprintln(out, e.save("load-requests", loadChart(runs, "Requests of members, by their number", "requests a second",
		func(r *measured) float64 { return r.Baseline.PerSecond(r.Baseline.Members.Sends) })))
	fmt.Fprintln(out, e.save("load-cpu", loadChart(runs, "Processor time of the servers", "% of a core",
		func(r *measured) float64 {
			if r.Baseline.BackendCPU == nil {
				return 0
			}
			return 100 * *r.Baseline.BackendCPU / r.Baseline.Seconds
		})))
}

// largest gives the run with most members of each lab.
func largest(runs [][]measured) []measured {
	last := make([]measured, len(runs))
	for i, lab := range runs {
		last[i] = lab[len(lab)-1]
	}
	return last
}

// loadChart shows a value against the number of members, with a dashed part for what is extrapolated.
func loadChart(runs [][]measured, title, y string, value func(*measured) float64) *plot.Chart {
	c := &plot.Chart{Title: title, X: "members (dashed: extrapolated)", Y: y, LogX: true, LogY: true}
	for _, lab := range runs {
		line := plot.Line{Name: lab[0].lab.name, Dots: true}
		for i := range lab {
			line.Points = append(line.Points, plot.Point{X: float64(lab[i].Members), Y: value(&lab[i])})
		}
		end := line.Points[len(line.Points)-1]
		line.Beyond = []plot.Point{end, {X: extrapolated, Y: end.Y * extrapolated / end.X}}
		c.Lines = append(c.Lines, line)
	}
	return c
}

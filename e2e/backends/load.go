package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"servicegroup_exporter/e2e/plot"
	"servicegroup_exporter/probe/drill"
)

// A measured is the report of a drill with its environment.
type measured struct {
	env     environment
	timeout time.Duration
	*drill.Report
}

// joinRate is the number of members that join per second.
const joinRate = "400"

// measureLoad runs drills with increasing numbers of members, one environment after the other, so that they do not disturb each
// other.
func (e *evaluation) measureLoad() [][]measured {
	runs := make([][]measured, len(e.environments))
	for i, env := range e.environments {
		for _, n := range e.members {
			runs[i] = append(runs[i], e.loadDrill("load", env, n))
		}
	}
	return runs
}

// loadDrill measures the load of live members, and then kills a tenth of them and cuts the network of another tenth.
func (e *evaluation) loadDrill(kind string, env environment, members int) measured {
	r, err := e.drill(kind, env, e.timeout, "--members="+strconv.Itoa(members), "--rate="+joinRate,
		"--kill=0.1", "--partition=0.05", "--pause=0.05", "--flap=0", "--baseline="+e.baseline.String(), "--duration=10s")
	if err != nil {
		e.Fatalf("%v", err)
	}
	return measured{env, e.timeout, r}
}

// extrapolated is the number of members to which the load is extrapolated.
const extrapolated = 10_000

func (e *evaluation) printLoad(out io.Writer, runs [][]measured) {
	fmt.Fprintf(out, "### Load by number of members\n\n")
	fmt.Fprintf(out, "Heartbeat timeout %v; a heartbeat every %v in db and mc. The table shows the cost of live members per second, measured "+
		"for %v, and the cost of one poll of this exporter, which polls every %v.\n\n", e.timeout, e.timeout/heartbeatsPerTimeout, e.baseline, pollInterval)
	fmt.Fprintln(out, "| backend | members | requests of members | bytes to and from members | CPU of the servers | requests per poll | bytes per poll |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, ofEnv := range runs {
		for _, r := range ofEnv {
			l := r.Baseline
			polls := l.Seconds / r.PollInterval
			fmt.Fprintf(out, "| %s | %d | %.0f/s | %s/s | %s | %.1f | %s |\n", r.env.name, r.Members,
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
		fmt.Fprintf(out, "| %s | *%d, extrapolated* | *%.0f/s* | *%s/s* | *%s* | | |\n", r.env.name, extrapolated,
			scale*l.PerSecond(l.Members.Sends), bytesText(scale*l.PerSecond(l.Members.BytesOut+l.Members.BytesIn)), cpu)
	}
	fmt.Fprintf(out, "\nRows in italics are not measured: they are the last measured row times the ratio of members. The cost is inversely "+
		"proportional to the timeout: with Nova's defaults, 60 s and a heartbeat every 10 s, db and mc have %.2g times these requests; "+
		"ZooKeeper with 10 s has %.2g times.\n\n", e.timeout.Seconds()/heartbeatsPerTimeout/10, e.timeout.Seconds()/10)
	fmt.Fprintln(out, e.save("load-requests", loadChart(runs, "Requests of members", "requests per second",
		func(r *measured) float64 { return r.Baseline.PerSecond(r.Baseline.Members.Sends) })))
	fmt.Fprintln(out, e.save("load-cpu", loadChart(runs, "CPU of the servers", "% of a core",
		func(r *measured) float64 {
			if r.Baseline.BackendCPU == nil {
				return 0
			}
			return 100 * *r.Baseline.BackendCPU / r.Baseline.Seconds
		})))
}

// largest returns the run with the most members of each environment.
func largest(runs [][]measured) []measured {
	last := make([]measured, len(runs))
	for i, ofEnv := range runs {
		last[i] = ofEnv[len(ofEnv)-1]
	}
	return last
}

// loadChart returns a chart of a value by number of members. The extrapolated part is dashed.
func loadChart(runs [][]measured, title, y string, value func(*measured) float64) *plot.Chart {
	c := &plot.Chart{Title: title, X: "members (dashed: extrapolated)", Y: y, LogX: true, LogY: true}
	for _, ofEnv := range runs {
		line := plot.Line{Name: ofEnv[0].env.name, Dots: true}
		for i := range ofEnv {
			line.Points = append(line.Points, plot.Point{X: float64(ofEnv[i].Members), Y: value(&ofEnv[i])})
		}
		end := line.Points[len(line.Points)-1]
		line.Beyond = []plot.Point{end, {X: extrapolated, Y: end.Y * extrapolated / end.X}}
		c.Lines = append(c.Lines, line)
	}
	return c
}

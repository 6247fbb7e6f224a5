package main

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"servicegroup_exporter/e2e/plot"
	"servicegroup_exporter/probe/drill"
)

// measureDetection kills members of all labs with each timeout. There are so few of them that the labs don't disturb each
// other.
func (e *evaluation) measureDetection() [][]measured {
	runs := make([][]measured, len(e.labs))
	errs := make([]error, len(e.labs))
	var labs sync.WaitGroup
	for i, l := range e.labs {
		labs.Go(func() {
			for _, timeout := range e.timeouts {
				r, err := e.drill("detection", l, timeout, "--members="+strconv.Itoa(e.few), "--rate=20",
					"--kill=0.5", "--cut=0.25", "--freeze=0.1", "--flap=0", "--steady=0s", "--duration="+(3*timeout+10*time.Second).String())
				if err != nil {
					errs[i] = err
					return
				}
				runs[i] = append(runs[i], measured{l, timeout, r})
			}
		})
	}
	labs.Wait()
	for _, err := range errs {
		if err != nil {
			e.Fatalf("%v", err)
		}
	}
	return runs
}

func (e *evaluation) printDetection(out io.Writer, runs [][]measured) {
	fmt.Fprintf(out, "### Detection time against the timeout\n\n")
	fmt.Fprintf(out, "%d members; half of them are killed, a quarter loses the network without a word. A heartbeat each quarter of the timeout; "+
		"the table's column has whole seconds, as Nova's; ZooKeeper's tick is %v, its default. By the rules of the backends T_D is between "+
		"T − T/4 − 1 s and T + poll in db, T − T/4 and T + poll in mc, T − T/3 and T + tick in ZooKeeper, and half a tick more with three servers. *Reported less true* is what the exporter's own "+
		"`servicegroup_detection_latency_seconds` says of the same deaths, less the truth.\n\n", e.few, zookeeperTick)
	fmt.Fprintln(out, "| backend | timeout T | deaths | T_D p50 | p99 | max | reported less true, least and most | back to seen up, p50 | not noticed |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, lab := range runs {
		for _, r := range lab {
			d, wrong := r.Detection["all"], r.ReportError
			fmt.Fprintf(out, "| %s | %v | %d | %s | %s | %s | %s … %s | %s | %d |\n", r.lab.name, r.timeout, d.Count,
				secondsText(d.P50), secondsText(d.P99), secondsText(d.Max), secondsText(wrong.Min), secondsText(wrong.Max),
				secondsText(r.Recovery["kill"].P50), r.Undetected)
		}
	}
	fmt.Fprintln(out)
	byTimeout := &plot.Chart{Title: "Detection time against the timeout (p50; dots: p99)", X: "timeout (s)", Y: "T_D (s)"}
	distribution := &plot.Chart{
		Title: fmt.Sprintf("Deaths noticed, timeout %v", e.timeouts[0]), X: "seconds since the death", Y: "share of deaths noticed (%)",
		Marks: []plot.Mark{{X: e.timeouts[0].Seconds(), Name: "timeout"}},
	}
	for _, lab := range runs {
		line := plot.Line{Name: lab[0].lab.name}
		for _, r := range lab {
			line.Points = append(line.Points, plot.Point{X: r.timeout.Seconds(), Y: r.Detection["all"].P50})
			line.Above = append(line.Above, plot.Point{X: r.timeout.Seconds(), Y: r.Detection["all"].P99})
		}
		byTimeout.Lines = append(byTimeout.Lines, line)
		took, deaths := detections(lab[0].Report)
		distribution.Lines = append(distribution.Lines, plot.Distribution(lab[0].lab.name, took, deaths))
	}
	if len(e.timeouts) > 1 {
		fmt.Fprintln(out, e.save("detection", byTimeout))
	}
	fmt.Fprintln(out, e.save("distribution", distribution))
}

// detections gives the detection times of a drill, and the number of deaths.
func detections(r *drill.Report) (took []float64, deaths int) {
	for _, d := range r.Deaths {
		if d.Detection != nil {
			took = append(took, *d.Detection)
		}
	}
	return took, len(r.Deaths)
}

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

// measureDetection runs drills with each heartbeat timeout in all environments at once. The drills have so few members that
// they do not disturb each other.
func (e *evaluation) measureDetection() [][]measured {
	runs := make([][]measured, len(e.environments))
	errs := make([]error, len(e.environments))
	var running sync.WaitGroup
	for i, env := range e.environments {
		running.Go(func() {
			for _, timeout := range e.detectionTimeouts {
				r, err := e.drill("detection", env, timeout, "--members="+strconv.Itoa(e.detectionMembers), "--rate=20",
					"--kill=0.5", "--partition=0.25", "--pause=0.1", "--flap=0", "--baseline=0s", "--duration="+(3*timeout+10*time.Second).String())
				if err != nil {
					errs[i] = err
					return
				}
				runs[i] = append(runs[i], measured{env, timeout, r})
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			e.Fatalf("%v", err)
		}
	}
	return runs
}

func (e *evaluation) printDetection(out io.Writer, runs [][]measured) {
	fmt.Fprintf(out, "### T_D by heartbeat timeout\n\n")
	fmt.Fprintf(out, "%d members: half of them are killed, a quarter lose the network without a closed connection. There is a heartbeat every "+
		"quarter of the timeout. The column in MariaDB has whole seconds, as Nova's has. ZooKeeper's tick is %v, its default. By the rules "+
		"of the backends, T_D is between T − T/4 − 1 s and T + poll in db, between T − T/4 and T + poll in mc, and between T − T/3 and "+
		"T + tick in ZooKeeper, plus half a tick with three servers. *Reported minus true* is the exporter's own "+
		"`servicegroup_detection_latency_seconds` of the same deaths minus T_D.\n\n", e.detectionMembers, zookeeperTick)
	fmt.Fprintln(out, "| backend | timeout T | deaths | T_D p50 | p99 | max | reported minus true, min and max | return to seen up, p50 | not detected |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, ofEnv := range runs {
		for _, r := range ofEnv {
			d, reportError := r.Detection["all"], r.ReportError
			fmt.Fprintf(out, "| %s | %v | %d | %s | %s | %s | %s … %s | %s | %d |\n", r.env.name, r.timeout, d.Count,
				secondsText(d.P50), secondsText(d.P99), secondsText(d.Max), secondsText(reportError.Min), secondsText(reportError.Max),
				secondsText(r.Recovery["kill"].P50), r.Undetected)
		}
	}
	fmt.Fprintln(out)
	byTimeout := &plot.Chart{Title: "T_D by heartbeat timeout (p50; dots: p99)", X: "heartbeat timeout (s)", Y: "T_D (s)"}
	distribution := &plot.Chart{
		Title: fmt.Sprintf("Detected deaths, heartbeat timeout %v", e.detectionTimeouts[0]), X: "seconds since the death", Y: "detected deaths (%)",
		Marks: []plot.Mark{{X: e.detectionTimeouts[0].Seconds(), Name: "timeout"}},
	}
	for _, ofEnv := range runs {
		line := plot.Line{Name: ofEnv[0].env.name}
		for _, r := range ofEnv {
			line.Points = append(line.Points, plot.Point{X: r.timeout.Seconds(), Y: r.Detection["all"].P50})
			line.Above = append(line.Above, plot.Point{X: r.timeout.Seconds(), Y: r.Detection["all"].P99})
		}
		byTimeout.Lines = append(byTimeout.Lines, line)
		took, deaths := detections(ofEnv[0].Report)
		distribution.Lines = append(distribution.Lines, plot.Distribution(ofEnv[0].env.name, took, deaths))
	}
	if len(e.detectionTimeouts) > 1 {
		fmt.Fprintln(out, e.save("detection", byTimeout))
	}
	fmt.Fprintln(out, e.save("distribution", distribution))
}

// detections returns the detection times of a drill, and the number of deaths.
func detections(r *drill.Report) (took []float64, deaths int) {
	for _, d := range r.Deaths {
		if d.Detection != nil {
			took = append(took, *d.Detection)
		}
	}
	return took, len(r.Deaths)
}

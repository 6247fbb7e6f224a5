package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// printDeaths prints the median and maximum latencies of each path, and the notifications.
func printDeaths(out io.Writer, results []*result) {
	fmt.Fprintln(out, "| path | deaths | death → detected | detected → in Alertmanager | death → notified | one firing and one resolved notification |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range results {
		step := func(from, to func(*death) time.Time) string { return medianAndMax(r.deaths, from, to) }
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s | %d of %d |\n", r.settings.name, len(r.deaths),
			step(killedAt, detectedAt), step(detectedAt, acceptedAt), step(killedAt, notifiedAt), r.exact(), len(r.deaths))
	}
}

func killedAt(d *death) time.Time   { return d.killed }
func detectedAt(d *death) time.Time { return d.detected }
func acceptedAt(d *death) time.Time { return d.accepted }
func notifiedAt(d *death) time.Time { return d.notified }

// medianAndMax returns the median and the maximum duration of a step.
func medianAndMax(deaths []death, from, to func(*death) time.Time) string {
	var steps []time.Duration
	for i := range deaths {
		steps = append(steps, to(&deaths[i]).Sub(from(&deaths[i])))
	}
	slices.Sort(steps)
	return fmt.Sprintf("%s (max %s)", short(steps[len(steps)/2]), short(steps[len(steps)-1]))
}

func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// exact counts the deaths with exactly one firing and one resolved notification.
func (r *result) exact() int {
	n := 0
	for _, d := range r.deaths {
		if d.exact() {
			n++
		}
	}
	return n
}

func (d *death) exact() bool { return d.firing == 1 && d.resolved == 1 }

// printFaults prints the outcome of each fault.
func printFaults(out io.Writer, outcomes []outcome) {
	fmt.Fprintln(out, "| fault | firing notifications | resolved notifications | alerts lost | notifications of the next death |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | --- |")
	for _, o := range outcomes {
		fmt.Fprintf(out, "| %s | %d | %d | %d | %d firing, %d resolved |\n", o.fault, o.firing, o.resolved, o.lost,
			o.next.firing, o.next.resolved)
	}
}

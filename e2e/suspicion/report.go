package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"servicegroup_exporter/e2e/plot"
)

// A table is the comparison at one poll interval.
type table struct {
	interval time.Duration
	phases   int
}

// A plan is how much is compared.
type plan struct {
	tables                    []table
	kills, killsInStall, made int // kills that are put in, the same in each stall, and made sources
	together                  int // made sources for each number of members that die at once
}

func fullPlan() plan {
	return plan{tables: []table{{time.Second, 3}, {5 * time.Second, 10}, {15 * time.Second, 7}}, kills: 150, killsInStall: 60, made: 10_000, together: 40}
}

func shortPlan() plan {
	return plan{tables: []table{{15 * time.Second, 1}}, kills: 5, killsInStall: 2, made: 20, together: 2}
}

// scores compares all detectors at one poll interval. Last is this program, which also names instants to poll at.
func (e *evaluation) scores(t table) []score {
	var all []score
	for _, c := range contenders() {
		all = append(all, e.score(c, schedules(t.interval, t.phases, false)))
	}
	own := ownContender()
	all = append(all, e.score(own, schedules(t.interval, t.phases, false)))
	own.name, own.short = "this program, polled at the limit", "polled at the limit"
	return append(all, e.score(own, schedules(t.interval, t.phases, true)))
}

// seconds writes the median, a high percentile and the maximum.
func seconds(all []time.Duration) string {
	return fmt.Sprintf("%.1f / %.1f / %.1f", median(all).Seconds(), quantile(all, 0.95).Seconds(), quantile(all, 1).Seconds())
}

func (e *evaluation) printScores(out io.Writer, t table, scores []score) {
	fmt.Fprintf(out, "### Polls every %s\n\n", t.interval)
	fmt.Fprintln(out, "| detector | recorded kills | kills put in | mistakes | also by Nova | mistakes by part of the recording |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | --- |")
	for _, s := range scores {
		fmt.Fprintf(out, "| %s | %s | %s | %.1f | %.1f | %s |\n", s.name, seconds(s.recorded), seconds(s.putIn), s.mistakes, s.withNova,
			e.bySegment(s.segments))
	}
	fmt.Fprintf(out, "\nn = %d recorded kills, %d phases of the polls, and %d kills put in. Seconds: median / 95th percentile / maximum.\n\n",
		len(scores[0].recorded), t.phases, len(scores[0].putIn))
}

func (e *evaluation) bySegment(counts map[string]float64) string {
	var parts []string
	for _, name := range e.segments() {
		if n := counts[name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f", name, n))
		}
	}
	return strings.Join(parts, ", ")
}

func (e *evaluation) printDelays(out io.Writer, kills int) {
	own, unguarded := ownContender(), contenderNamed(noGuard)
	fmt.Fprintln(out, "| stall | with the guard | without | mistakes a stall with it | without |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: |")
	polls := schedules(time.Second, 3, false)
	for _, s := range e.stalls() {
		fmt.Fprintf(out, "| %s | %s | %s | %.1f | %.1f |\n", s.name, seconds(e.delays(own, s, kills)), seconds(e.delays(unguarded, s, kills)),
			e.mistakesIn(own, s, polls), e.mistakesIn(unguarded, s, polls))
	}
	fmt.Fprintf(out, "\nn = %d kills in each stall, polls every second.\n\n", kills)
}

// chart plots the kills that were put in.
func chart(t table, scores []score) *plot.Chart {
	c := &plot.Chart{
		Title: fmt.Sprintf("Deaths known, polls every %s; in brackets: mistakes", t.interval), X: "seconds since the kill", Y: "percent of the kills",
		Marks: []plot.Mark{{X: downTime.Seconds(), Name: "service_down_time"}},
	}
	for _, s := range scores {
		if s.short == "" {
			continue
		}
		values := make([]float64, len(s.putIn))
		for i, d := range s.putIn {
			values[i] = d.Seconds()
		}
		c.Lines = append(c.Lines, plot.Distribution(fmt.Sprintf("%s (%.0f)", s.short, s.mistakes), values, len(values)))
	}
	return c
}

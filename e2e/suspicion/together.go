package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Members that die in the same instant, of a made source whose members report every 10 s at random phases.
type together struct{ dead, of int }

// togethers returns how many members die at once: up to a quarter of the source, and one more.
func togethers() []together { return []together{{1, 2}, {3, 15}, {4, 15}, {10, 40}, {11, 40}} }

// isMany reports whether so many die that the guard takes it for a stall.
func (t together) isMany() bool { return t.dead > 2 && 4*t.dead > t.of }

// makeDeaths makes a source some members of which die in the same instant.
func makeDeaths(random *rand.Rand, deaths together) *made {
	m := makeTrace(random, scenario{rhythm: rhythm{usual, downTime}, size: deaths.of, what: nothing})
	for i := range deaths.dead {
		m.kills = append(m.kills, kill{member: i, at: m.begin, until: m.end})
	}
	return m
}

// known replays made sources. It returns how long after their deaths members were known to be dead, and how many of them by suspicion.
func (t together) known(runs int, polls schedule) (took []time.Duration, suspected int) {
	for n := range runs {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		m := makeDeaths(random, t)
		polls.phase = between(random, 0, polls.interval)
		r := &run{trace: m.trace, during: span{0, m.end}, schedule: polls, timeout: m.timeout, kills: m.kills}
		all := r.replay(newProgram(m.members, m.timeout))
		for _, k := range m.kills {
			first, _ := all.notice(k)
			took = append(took, first.at-k.at)
			if first.suspect {
				suspected++
			}
		}
	}
	return took, suspected
}

// printTogether writes how soon members are known to be dead that die in the same instant.
func printTogether(out io.Writer, runs int) {
	polls := []schedule{
		{interval: time.Second}, {interval: 5 * time.Second}, {interval: 15 * time.Second}, {interval: 15 * time.Second, extra: true},
	}
	fmt.Fprintln(out, "| dead, of all | polls every 1 s | 5 s | 15 s | 15 s, and at the limit | suspected |")
	fmt.Fprintln(out, "| ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, t := range togethers() {
		fmt.Fprintf(out, "| %d of %d |", t.dead, t.of)
		deaths, suspected := 0, 0
		for _, p := range polls {
			took, byProgram := t.known(runs, p)
			fmt.Fprintf(out, " %.1f / %.1f |", median(took).Seconds(), quantile(took, 1).Seconds())
			deaths, suspected = deaths+len(took), suspected+byProgram
		}
		fmt.Fprintf(out, " %.0f %% |\n", 100*float64(suspected)/float64(deaths))
	}
	fmt.Fprintf(out, "\nn = %d made sources for each number and poll interval. Seconds from the death: median / maximum.\n\n", runs)
}

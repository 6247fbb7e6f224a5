package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// A cell is the runs that are counted together.
type cell struct {
	rhythm
	what disturbance
	size int
}

// A count is what runs had together.
type count struct{ runs, mistakes int }

func (c count) rate() float64 { return float64(c.mistakes) / float64(max(c.runs, 1)) }

// A tally is what a detector made of many made sources.
type tally struct {
	runs  int
	cells map[cell]count
	// took has the times from a death to its detection, by rhythm and by whether a stall delayed heartbeats.
	took map[cell][]time.Duration
	slow []scenario // in which a death was noticed later than the rule says
}

// tallyUp makes sources and shows them to this program's detector.
func tallyUp(runs int) *tally {
	t := &tally{runs: runs, cells: make(map[cell]count), took: make(map[cell][]time.Duration)}
	for n := range runs {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		m := makeTrace(random, draw(random))
		mistakes, took := m.score(newProgram(m.members, m.timeout))
		key := cell{m.rhythm, m.what, m.size}
		c := t.cells[key]
		t.cells[key] = count{c.runs + 1, c.mistakes + mistakes}
		key.size = 0
		c = t.cells[key]
		t.cells[key] = count{c.runs + 1, c.mistakes + mistakes}
		if len(m.kills) > 0 {
			t.took[key] = append(t.took[key], took)
		}
		if m.what == died && took > m.latest() {
			t.slow = append(t.slow, m.scenario)
		}
	}
	return t
}

// latest returns how long after its last heartbeat a dead member is noticed at the latest when nothing else happens. Heartbeats are
// stored in whole seconds.
func (m *made) latest() time.Duration {
	limit := min(time.Duration(1.5*float64(m.interval))+margin, m.timeout)
	return limit + m.polls.interval + time.Second
}

// print writes the mistakes as a table.
func (t *tally) print(out io.Writer) {
	fmt.Fprint(out, "| reports, timeout |")
	for _, what := range []disturbance{allStalled, thirdStalled} {
		for _, size := range sizes() {
			fmt.Fprintf(out, " %s, %d members |", what, size)
		}
	}
	fmt.Fprintln(out, " restart | death known after | in a stall |")
	fmt.Fprintln(out, "| --- |"+strings.Repeat(" ---: |", 2*len(sizes())+3))
	for _, r := range rhythms() {
		fmt.Fprintf(out, "| %s, %s |", r.interval, r.timeout)
		for _, what := range []disturbance{allStalled, thirdStalled} {
			for _, size := range sizes() {
				fmt.Fprintf(out, " %s |", t.cells[cell{r, what, size}])
			}
		}
		fmt.Fprintf(out, " %s | %s | %s |\n", t.cells[cell{r, restarted, 0}], seconds(t.took[cell{r, died, 0}]), seconds(t.took[cell{r, diedStalled, 0}]))
	}
	fmt.Fprintf(out, "\nn = %d made sources.\n\n", t.runs)
}

// String returns the mistakes of each run.
func (c count) String() string {
	if c.mistakes == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g", c.rate())
}

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
	took  map[cell][]time.Duration // from a death to its detection, for all sizes together
	slow  []scenario               // in which a death was noticed later than the rule says
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
		if len(m.kills) > 0 {
			key.size = 0
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

// A column is the runs of one kind of disturbance, in sources of some sizes.
type column struct {
	name  string
	what  disturbance
	sizes []int
}

func columns() []column {
	small, large := []int{2, 3, 5}, []int{12, 40}
	return []column{
		{"all stalled, of 2 to 5", allStalled, small},
		{"of 12 or 40", allStalled, large},
		{"a third stalled, of 2 to 5", thirdStalled, small},
		{"of 12 or 40", thirdStalled, large},
		{"a member restarted", restarted, sizes()},
	}
}

// count returns the runs of a column for members with a rhythm.
func (t *tally) count(r rhythm, c column) count {
	var sum count
	for _, size := range c.sizes {
		one := t.cells[cell{r, c.what, size}]
		sum.runs, sum.mistakes = sum.runs+one.runs, sum.mistakes+one.mistakes
	}
	return sum
}

// print writes the mistakes and the times of detection as a table.
func (t *tally) print(out io.Writer) {
	fmt.Fprint(out, "| reports every | timeout |")
	for _, c := range columns() {
		fmt.Fprintf(out, " %s |", c.name)
	}
	fmt.Fprintln(out, " death | death in a stall |")
	fmt.Fprintln(out, "| ---: | ---: |"+strings.Repeat(" ---: |", len(columns())+2))
	for _, r := range rhythms() {
		fmt.Fprintf(out, "| %.0f s | %.0f s |", r.interval.Seconds(), r.timeout.Seconds())
		for _, c := range columns() {
			fmt.Fprintf(out, " %s |", t.count(r, c))
		}
		fmt.Fprintf(out, " %s | %s |\n", seconds(t.took[cell{rhythm: r, what: died}]), seconds(t.took[cell{rhythm: r, what: diedStalled}]))
	}
	fmt.Fprintf(out, "\nn = %d made sources, polled every 1, 5 or 15 s, half of them also at the limit. Mistakes: per stall or restart. Deaths: "+
		"seconds until they are known, median / 95th percentile / maximum.\n\n", t.runs)
}

// String returns the mistakes of each run.
func (c count) String() string {
	if c.mistakes == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g", c.rate())
}

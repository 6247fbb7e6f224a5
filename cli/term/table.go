package term

import (
	"bufio"
	"slices"
)

// tableGap is the number of blanks between two columns of a table.
const tableGap = 2

// A Table has a title for each column, and a cell of every row.
type Table struct {
	Titles []string
	Rows   [][]Cell
	// Shrinks are applied in this order until the lines fit the terminal.
	Shrinks []Shrink
}

// A Shrink lets a column become as narrow as Min where lines are too wide for the terminal. With Min zero the column may
// be left out.
type Shrink struct{ Column, Min int }

// Print prints the table. On a terminal the lines fit its width, and columns without any value are left out.
func (t *Table) Print(s *Screen) error {
	header := make([]Cell, len(t.Titles))
	for i, title := range t.Titles {
		header[i] = Cell{title, Bold}
	}
	limit := s.Width()
	widths := t.widths(s, header)
	Fit(widths, tableGap, limit, t.Shrinks)
	out := bufio.NewWriter(s)
	for _, row := range slices.Concat([][]Cell{header}, t.Rows) {
		out.WriteString(s.Line(row, widths, tableGap, limit)) //nolint:errcheck // Flush returns the first error.
		out.WriteByte('\n')                                   //nolint:errcheck // As above.
	}
	return out.Flush()
}

// widths returns the widths that the columns need.
func (t *Table) widths(s *Screen, header []Cell) []int {
	widths := make([]int, len(header))
	for i := range header {
		used := len(t.Rows) == 0 || !s.IsTerminal()
		widths[i] = s.TextWidth(header[i].Text)
		for _, row := range t.Rows {
			used = used || row[i].Text != None
			widths[i] = max(widths[i], s.TextWidth(row[i].Text))
		}
		if !used {
			widths[i] = 0
		}
	}
	return widths
}

// Fit narrows columns until they fit into limit: in the order of the shrinks, each no further than necessary.
func Fit(widths []int, gap, limit int, shrinks []Shrink) {
	wanted := slices.Clone(widths)
	excess := -gap - limit
	for _, w := range widths {
		if w > 0 {
			excess += w + gap
		}
	}
	for _, shrink := range shrinks {
		w := &widths[shrink.Column]
		switch {
		case excess <= 0 || *w <= shrink.Min:
		case shrink.Min == 0:
			excess -= *w + gap
			*w = 0
		default:
			cut := min(excess, *w-shrink.Min)
			excess -= cut
			*w -= cut
		}
	}
	// A column that was left out may have made more room than was needed.
	for _, shrink := range shrinks {
		if w := &widths[shrink.Column]; *w > 0 && excess < 0 {
			more := min(-excess, wanted[shrink.Column]-*w)
			excess += more
			*w += more
		}
	}
}

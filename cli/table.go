package cli

import (
	"bufio"
	"slices"
)

// tableGap is how many blanks are between two columns of a table.
const tableGap = 2

// A table is a title and a cell of every row for each column.
type table struct {
	titles      []string
	rows        [][]cell
	concessions []concession
}

// A concession says how narrow a column may become where lines are too wide for the terminal. With least zero it may be
// left out.
type concession struct{ column, least int }

// print prints the table. On a terminal it fits, and columns are left out in which nobody has anything.
func (t *table) print(s *screen) error {
	header := make([]cell, len(t.titles))
	for i, title := range t.titles {
		header[i] = cell{title, bold}
	}
	limit := s.width()
	widths := t.widths(s, header)
	fit(widths, tableGap, limit, t.concessions)
	out := bufio.NewWriter(s)
	for _, row := range slices.Concat([][]cell{header}, t.rows) {
		out.WriteString(s.line(row, widths, tableGap, limit)) //nolint:errcheck // Flush gives the first error.
		out.WriteByte('\n')                                   //nolint:errcheck // The same.
	}
	return out.Flush()
}

// widths are those that the columns need.
func (t *table) widths(s *screen, header []cell) []int {
	widths := make([]int, len(header))
	for i := range header {
		used := len(t.rows) == 0 || s.terminal == nil
		widths[i] = s.chars.StringWidth(header[i].text)
		for _, row := range t.rows {
			used = used || row[i].text != nothing
			widths[i] = max(widths[i], s.chars.StringWidth(row[i].text))
		}
		if !used {
			widths[i] = 0
		}
	}
	return widths
}

// fit narrows columns until they fit into limit: in the order of the concessions, each as far as it has to be.
func fit(widths []int, gap, limit int, concessions []concession) {
	wanted := slices.Clone(widths)
	excess := -gap - limit
	for _, w := range widths {
		if w > 0 {
			excess += w + gap
		}
	}
	for _, c := range concessions {
		w := &widths[c.column]
		switch {
		case excess <= 0 || *w <= c.least:
		case c.least == 0:
			excess -= *w + gap
			*w = 0
		default:
			cut := min(excess, *w-c.least)
			excess -= cut
			*w -= cut
		}
	}
	// A column that was left out may have made more room than was needed.
	for _, c := range concessions {
		if w := &widths[c.column]; *w > 0 && excess < 0 {
			more := min(-excess, wanted[c.column]-*w)
			excess += more
			*w += more
		}
	}
}

package drill

import (
	"cmp"
	"slices"
	"time"
)

// timeline returns how many members were alive, and how many were seen up, at each change of either number.
func (r *Report) timeline(histories []history, seen *observations, end time.Time) []Point {
	type step struct {
		at        time.Time
		alive, up int
	}
	var steps []step
	for _, h := range histories {
		for _, s := range h.spans {
			steps = append(steps, step{at: s.from, alive: 1})
			if !s.until.IsZero() {
				steps = append(steps, step{at: s.until, alive: -1})
			}
		}
		up := false
		for _, s := range seen.byMember[h.member] {
			switch {
			case s.up && !up:
				steps = append(steps, step{at: s.at, up: 1})
			case !s.up && up:
				steps = append(steps, step{at: s.at, up: -1})
			}
			up = s.up
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	points := []Point{{}}
	for _, s := range steps {
		if s.at.After(end) {
			break
		}
		last := points[len(points)-1]
		next := Point{At: r.since(s.at), Alive: last.Alive + s.alive, Up: last.Up + s.up}
		if next.At-last.At < 0.01 {
			points = points[:len(points)-1] // Closer points can't be told apart in a plot.
			next.At = last.At
		}
		points = append(points, next)
	}
	return append(points, Point{At: r.since(end), Alive: points[len(points)-1].Alive, Up: points[len(points)-1].Up})
}

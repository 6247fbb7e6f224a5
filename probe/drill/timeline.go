package drill

import (
	"cmp"
	"slices"
	"time"
)

// timeline gives how many members lived, and how many were seen to, whenever either changed.
func (r *Report) timeline(lives []life, seen *record, end time.Time) []Point {
	type step struct {
		at        time.Time
		alive, up int
	}
	var steps []step
	for _, l := range lives {
		for _, s := range l.spans {
			steps = append(steps, step{at: s.from, alive: 1})
			if !s.until.IsZero() {
				steps = append(steps, step{at: s.until, alive: -1})
			}
		}
		was := false
		for _, s := range seen.sights[l.member] {
			switch {
			case s.up && !was:
				steps = append(steps, step{at: s.at, up: 1})
			case !s.up && was:
				steps = append(steps, step{at: s.at, up: -1})
			}
			was = s.up
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
			points = points[:len(points)-1] // too soon for anybody to tell apart
			next.At = last.At
		}
		points = append(points, next)
	}
	return append(points, Point{At: r.since(end), Alive: points[len(points)-1].Alive, Up: points[len(points)-1].Up})
}

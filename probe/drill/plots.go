package drill

import (
	"fmt"
	"slices"

	"servicegroup_exporter/probe/drill/plot"
)

// Plots gives the report's charts as SVG files, by their names.
func (r *Report) Plots() map[string][]byte {
	return map[string][]byte{
		"detection.svg": r.detectionChart().SVG(),
		"timeline.svg":  r.timelineChart().SVG(),
	}
}

// detectionChart shows how many of the deaths were noticed within which time.
func (r *Report) detectionChart() *plot.Chart {
	c := &plot.Chart{
		Title: fmt.Sprintf("Deaths noticed, %d members on %s", r.Members, r.Source),
		X:     "seconds since the death", Y: "share of deaths noticed (%)",
		Marks: []plot.Mark{{X: r.DownTime, Name: "down time"}},
	}
	for _, f := range shown(r.Detection) {
		var took []float64
		deaths := 0
		for _, d := range r.Deaths {
			if d.Fate != f {
				continue
			}
			if deaths++; d.Detection != nil {
				took = append(took, *d.Detection)
			}
		}
		c.Lines = append(c.Lines, Distribution(fmt.Sprintf("%s (n = %d)", f, deaths), took, deaths))
	}
	return c
}

// Distribution is the line of how many percent of n values are at most so great; values that are missing never are.
func Distribution(name string, values []float64, n int) plot.Line {
	line := plot.Line{Name: name, Step: true, Points: []plot.Point{{}}}
	for i, v := range slices.Sorted(slices.Values(values)) {
		line.Points = append(line.Points, plot.Point{X: v, Y: 100 * float64(i+1) / float64(n)})
	}
	return line
}

// timelineChart shows the living beside those who were seen to live.
func (r *Report) timelineChart() *plot.Chart {
	alive := plot.Line{Name: "alive", Step: true}
	seen := plot.Line{Name: "seen up", Step: true}
	for _, p := range r.Timeline {
		alive.Points = append(alive.Points, plot.Point{X: p.At, Y: float64(p.Alive)})
		seen.Points = append(seen.Points, plot.Point{X: p.At, Y: float64(p.Up)})
	}
	return &plot.Chart{
		Title: fmt.Sprintf("Members alive, and seen up, on %s", r.Source),
		X:     "seconds since the start of the drill", Y: "members", Lines: []plot.Line{alive, seen},
	}
}

// Package plot writes line charts as self-contained SVG files, without scripts, style sheets or fonts.
package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
)

// A Chart has axes and lines. The legend lists the lines in their order.
type Chart struct {
	Title string
	// X and Y are the titles of the axes, with units.
	X, Y string
	// LogX and LogY make axes logarithmic. Such an axis omits values that are not positive.
	LogX, LogY bool
	Lines      []Line
	Marks      []Mark
}

// A Line connects points in their order.
type Line struct {
	Name   string
	Points []Point
	// Step draws a step function: a value stays the same until the next point.
	Step bool
	// Dots draws the points as dots. Above are more dots, without a line.
	Dots  bool
	Above []Point
	// Beyond are extrapolated points. The line through them is dashed.
	Beyond []Point
}

// Distribution returns a line that shows how many percent of n values are at most x. If there are fewer values than n, the line
// does not reach 100 %.
func Distribution(name string, values []float64, n int) Line {
	line := Line{Name: name, Step: true, Points: []Point{{}}}
	for i, v := range slices.Sorted(slices.Values(values)) {
		line.Points = append(line.Points, Point{X: v, Y: 100 * float64(i+1) / float64(n)})
	}
	return line
}

// A Point is one value.
type Point struct{ X, Y float64 }

// A Mark is a vertical line with a label.
type Mark struct {
	X    float64
	Name string
}

// The layout, in pixels.
const (
	width, height             = 760, 420
	left, right, top, bottom  = 70, 200, 44, 56
	plotWidth, plotHeight     = width - left - right, height - top - bottom
	legendLine                = 20
	tickLength, labelDistance = 5, 8
)

// color returns the color of line i, from the palette of Okabe and Ito for people with color blindness.
func color(i int) string {
	all := []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}
	return all[i%len(all)]
}

// SVG draws the chart.
func (c *Chart) SVG() []byte {
	d := &drawing{chart: c}
	d.x, d.y = c.scales()
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" `+
		`font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13">`, width, height, width, height)
	d.add(`<title>%s</title>`, escape(c.Title))
	d.add(`<rect width="%d" height="%d" fill="#ffffff"/>`, width, height)
	d.add(`<text x="%d" y="24" font-size="15" font-weight="600">%s</text>`, left, escape(c.Title))
	d.axes()
	d.marks()
	d.lines()
	d.legend()
	d.add(`</svg>`)
	return d.out.Bytes()
}

// scales returns the scales of both axes.
func (c *Chart) scales() (x, y scale) {
	xs, ys := newExtent(c.LogX), newExtent(c.LogY)
	for _, l := range c.Lines {
		for _, p := range slices.Concat(l.Points, l.Beyond, l.Above) {
			xs.add(p.X)
			ys.add(p.Y)
		}
	}
	for _, m := range c.Marks {
		xs.add(m.X)
	}
	return xs.scale(left, left+plotWidth), ys.scale(top+plotHeight, top)
}

// A drawing is an SVG file in progress.
type drawing struct {
	chart *Chart
	x, y  scale
	out   bytes.Buffer
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

// axes draws the grid with numbers, and the titles of the axes.
func (d *drawing) axes() {
	const floor = top + plotHeight
	for _, t := range d.x.ticks {
		at := d.x.at(t)
		d.add(`<path d="M%.1f %d V%d" stroke="#e4e4e4"/>`, at, top, floor)
		d.add(`<text x="%.1f" y="%d" text-anchor="middle" fill="#444444">%s</text>`, at, floor+tickLength+13, number(t))
	}
	for _, t := range d.y.ticks {
		at := d.y.at(t)
		d.add(`<path d="M%d %.1f H%d" stroke="#e4e4e4"/>`, left, at, left+plotWidth)
		d.add(`<text x="%d" y="%.1f" text-anchor="end" fill="#444444">%s</text>`, left-labelDistance, at+4, number(t))
	}
	d.add(`<path d="M%d %d V%d H%d" fill="none" stroke="#666666"/>`, left, top, floor, left+plotWidth)
	d.add(`<text x="%d" y="%d" text-anchor="middle">%s</text>`, left+plotWidth/2, height-14, escape(d.chart.X))
	d.add(`<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`, top+plotHeight/2, escape(d.chart.Y))
}

func (d *drawing) marks() {
	for _, m := range d.chart.Marks {
		at := d.x.at(m.X)
		d.add(`<path d="M%.1f %d V%d" stroke="#777777" stroke-dasharray="2 3"/>`, at, top, top+plotHeight)
		d.add(`<text x="%.1f" y="%d" fill="#555555" font-size="12">%s</text>`, at+2, top-5, escape(m.Name))
	}
}

func (d *drawing) lines() {
	for i, l := range d.chart.Lines {
		const style = `fill="none" stroke-width="2" stroke-linejoin="round"`
		if len(l.Beyond) > 0 {
			d.add(`<path d="%s" stroke="%s" stroke-dasharray="6 5" %s/>`, d.path(l.Beyond, l.Step), color(i), style)
		}
		d.add(`<path d="%s" stroke="%s" %s/>`, d.path(l.Points, l.Step), color(i), style)
		dots := l.Above
		if l.Dots {
			dots = slices.Concat(l.Points, l.Above)
		}
		for _, p := range dots {
			if d.shows(p) {
				d.add(`<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`, d.x.at(p.X), d.y.at(p.Y), color(i))
			}
		}
	}
}

// path returns a path through the points that both axes can show.
func (d *drawing) path(points []Point, step bool) string {
	var path bytes.Buffer
	for _, p := range points {
		switch x, y := d.x.at(p.X), d.y.at(p.Y); {
		case !d.shows(p):
		case path.Len() == 0:
			fmt.Fprintf(&path, "M%.1f %.1f", x, y)
		case step:
			fmt.Fprintf(&path, "H%.1fV%.1f", x, y)
		default:
			fmt.Fprintf(&path, "L%.1f %.1f", x, y)
		}
	}
	return path.String()
}

func (d *drawing) shows(p Point) bool { return d.x.shows(p.X) && d.y.shows(p.Y) }

func (d *drawing) legend() {
	const at = left + plotWidth + 18
	for i, l := range d.chart.Lines {
		y := top + 8 + i*legendLine
		d.add(`<path d="M%d %d h22" stroke="%s" stroke-width="2.5"/>`, at, y, color(i))
		d.add(`<text x="%d" y="%d">%s</text>`, at+30, y+4, escape(l.Name))
	}
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // Writing to a buffer does not fail.
	return b.String()
}

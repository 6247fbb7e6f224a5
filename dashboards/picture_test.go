package dashboards

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hue returns the colour of one of Grafana's names.
func hue(name string) string {
	return cmp.Or(map[string]string{
		"green": "#56a64b", "yellow": "#e0b400", "orange": "#ff780a", "red": "#e02f44", "purple": "#a352cc", "blue": "#3274d9",
	}[name], name)
}

func background(color string) template.CSS { return template.CSS("background: " + hue(color)) }

// palette returns the colour of series number i.
func palette(i int) string {
	colors := []string{"#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#ca95e5", "#8ab8ff", "#ffa6b0", "#96d98d", "#ffee52"}
	return colors[i%len(colors)]
}

// field returns how a column is shown.
func (p panel) field(column string) field {
	var f field
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options != column {
			continue
		}
		for _, property := range o.Properties {
			switch property.ID {
			case "unit":
				_ = json.Unmarshal(property.Value, &f.Unit)
			case "mappings":
				_ = json.Unmarshal(property.Value, &f.Mappings)
			}
		}
	}
	return f
}

// look returns the text and the colour of a value.
func (f *field) look(value float64, now time.Time) (text, color string) {
	for _, m := range f.Mappings {
		var words map[string]struct{ Text, Color string }
		if m.Type == "value" && json.Unmarshal(m.Options, &words) == nil {
			if word, exists := words[strconv.FormatFloat(value, 'g', -1, 64)]; exists {
				return word.Text, word.Color
			}
		}
	}
	for _, step := range f.Thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			color = step.Color
		}
	}
	return inUnit(value, f.Unit, now), color
}

func inUnit(value float64, unit string, now time.Time) string {
	switch unit {
	case "s":
		return strconv.FormatFloat(value, 'g', 3, 64) + " s"
	case "percentunit":
		return strconv.FormatFloat(100*value, 'g', 3, 64) + " %"
	case "bytes":
		return strconv.FormatFloat(value/(1<<20), 'f', 0, 64) + " MiB"
	case "dateTimeFromNow":
		return now.Sub(time.UnixMilli(int64(value))).Round(time.Second).String() + " ago"
	case "dateTimeAsIsoNoDateIfToday":
		return time.UnixMilli(int64(value)).UTC().Format("15:04:05")
	}
	return strconv.FormatFloat(value, 'g', 4, 64)
}

// picture draws panels with a time axis, and the histogram.
func (d *drawn) picture(all []named, v *view) {
	if len(all) == 0 {
		d.Empty = d.FieldConfig.Defaults.NoValue
		return
	}
	slices.SortStableFunc(all, func(a, b named) int { return cmp.Compare(a.name, b.name) })
	switch d.Type {
	case "state-timeline", "status-history":
		d.cells(all, v)
	case "heatmap":
		d.heat(all, v)
	case "histogram":
		d.histogram(all)
	default:
		d.graph(all, v)
	}
}

// left is the width of the space for names of rows and numbers of axes.
const left = 110

func (d *drawn) x(at float64, v *view) float64 {
	start, end := float64(v.start.UnixMilli())/1000, float64(v.end.UnixMilli())/1000
	return left + (at-start)/(end-start)*(d.Width-left-8)
}

// cells draws a row for each series, coloured by value. Missing data is purple.
func (d *drawn) cells(all []named, v *view) {
	height := d.Height / float64(len(all))
	width := (d.Width-left-8)/v.end.Sub(v.start).Seconds() + 0.5 // of a second, which is the queries' step
	for i, s := range all {
		y := float64(i) * height
		d.Rects = append(d.Rects, rect{left, y + 2, d.Width - left - 8, height - 4, hue("purple")})
		for j, at := range s.times {
			_, color := d.FieldConfig.Defaults.look(s.values[j], v.end)
			d.Rects = append(d.Rects, rect{d.x(at, v), y + 2, width, height - 4, hue(color)})
		}
		d.Texts = append(d.Texts, label{left - 6, y + height/2 + 4, s.name, true})
	}
}

// heat draws a row for each bucket that is not empty.
func (d *drawn) heat(all []named, v *view) {
	slices.SortFunc(all, func(a, b named) int { return cmp.Compare(bound(a.name), bound(b.name)) })
	height := d.Height / float64(len(all))
	for i, s := range all {
		y := d.Height - float64(i+1)*height
		for j, at := range s.times {
			below := 0.0
			if i > 0 {
				below = all[i-1].values[j]
			}
			if n := s.values[j] - below; n > 0.01 {
				color := fmt.Sprintf("rgb(255 %d %d)", 220-int(min(n, 5)*30), 160-int(min(n, 5)*30))
				d.Rects = append(d.Rects, rect{d.x(at, v), y + 1, 8, height - 2, color})
			}
		}
		d.Texts = append(d.Texts, label{left - 6, y + height/2 + 4, s.name + " s", true})
	}
}

func bound(le string) float64 {
	value, err := strconv.ParseFloat(le, 64)
	if err != nil {
		return math.Inf(1)
	}
	return value
}

// histogram counts the series by value.
func (d *drawn) histogram(all []named) {
	largest := 0.0
	for _, s := range all {
		largest = max(largest, s.values[0])
	}
	const bars = 12
	var counts [bars]float64
	for _, s := range all {
		counts[min(bars-1, int(s.values[0]/largest*bars))]++
	}
	width := (d.Width - left - 8) / bars
	for i, n := range counts {
		h := n / slices.Max(counts[:]) * (d.Height - 24)
		d.Rects = append(d.Rects, rect{left + float64(i)*width + 1, d.Height - 18 - h, width - 2, h, hue("blue")})
		d.Texts = append(d.Texts, label{left + float64(i)*width, d.Height - 4, inUnit(largest*float64(i)/bars, "s", time.Time{}), false})
	}
}

// graph draws lines or bars.
func (d *drawn) graph(all []named, v *view) {
	low, high := 0.0, 0.0
	for _, s := range all {
		low, high = min(low, slices.Min(s.values)), max(high, slices.Max(s.values))
	}
	if high == low {
		high = low + 1
	}
	y := func(value float64) float64 { return 6 + (high-value)/(high-low)*(d.Height-12) }
	for i, s := range all {
		color, target := palette(i), strings.HasPrefix(s.name, "target") || strings.HasPrefix(s.name, "down time")
		if target {
			color = hue("red")
		}
		var points []string
		for j, at := range s.times {
			if d.FieldConfig.Defaults.Custom.DrawStyle == "bars" {
				d.Rects = append(d.Rects, rect{d.x(at, v), y(s.values[j]), 4, y(0) - y(s.values[j]), color})
				continue
			}
			if j > 0 && at-s.times[j-1] > 1.5 { // a gap
				d.Lines = append(d.Lines, line{strings.Join(points, " "), color, target})
				points = nil
			}
			points = append(points, fmt.Sprintf("%.1f,%.1f", d.x(at, v), y(s.values[j])))
		}
		d.Lines = append(d.Lines, line{strings.Join(points, " "), color, target})
		d.Legend = append(d.Legend, cell{s.name, background(color)})
	}
	for _, value := range []float64{low, (low + high) / 2, high} {
		d.Texts = append(d.Texts, label{left - 6, y(value) + 4, inUnit(value, d.FieldConfig.Defaults.Unit, v.end), true})
	}
}

package plot

import (
	"math"
	"strconv"
)

// An extent is the range of values on an axis.
type extent struct {
	log       bool
	low, high float64
}

func newExtent(log bool) *extent { return &extent{log: log, low: math.Inf(1), high: math.Inf(-1)} }

func (e *extent) add(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) || e.log && v <= 0 {
		return
	}
	e.low, e.high = min(e.low, v), max(e.high, v)
}

// scale returns the scale between two pixels. A linear scale starts at zero, unless there are negative values.
func (e *extent) scale(from, to float64) scale {
	low, high := e.low, e.high
	if math.IsInf(low, 1) {
		low, high = 0, 1
	}
	if e.log {
		return logScale(low, high, from, to)
	}
	low = min(low, 0)
	if high <= low {
		high = low + 1
	}
	step := niceStep((high - low) / 5)
	s := scale{low: math.Floor(low/step) * step, high: math.Ceil(high/step-1e-9) * step, from: from, to: to}
	for i := 0; s.low+float64(i)*step <= s.high+step/2; i++ {
		s.ticks = append(s.ticks, math.Round((s.low+float64(i)*step)/step)*step)
	}
	return s
}

// logScale returns a scale of whole decades, with two ticks per decade if there are few decades.
func logScale(low, high, from, to float64) scale {
	if low <= 0 {
		low = 1
	}
	first, last := math.Floor(math.Log10(low)+1e-9), math.Ceil(math.Log10(max(high, low))-1e-9)
	if last <= first {
		last = first + 1
	}
	s := scale{log: true, low: math.Pow(10, first), high: math.Pow(10, last), from: from, to: to}
	for e := first; e <= last; e++ {
		s.ticks = append(s.ticks, math.Pow(10, e))
		if last-first <= 3 && e < last {
			s.ticks = append(s.ticks, 3*math.Pow(10, e))
		}
	}
	return s
}

// niceStep returns the smallest of 1, 2 and 5 times a power of ten that is at least length.
func niceStep(length float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(length)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= length*(1-1e-9) {
			return n * power
		}
	}
	return 10 * power
}

// A scale maps values of an axis to pixels.
type scale struct {
	log       bool
	low, high float64
	from, to  float64 // in pixels
	ticks     []float64
}

// shows reports whether the axis can show a value.
func (s *scale) shows(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!s.log || v > 0)
}

// at returns the pixel of a value.
func (s *scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

// number formats the number of a tick, with a letter for thousands and millions.
func number(v float64) string {
	switch size := math.Abs(v); {
	case size >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 6, 64) + "M"
	case size >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 6, 64) + "k"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

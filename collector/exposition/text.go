package exposition

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// longestNumber is more than the length of any value with the space before and the line's end after it.
const longestNumber = 32

// textFamily writes a family in Prometheus' text format, or in OpenMetrics.
func (e *Encoder) textFamily(f *Family, open bool) error {
	begun := false
	for labels, value := range f.Series {
		if !begun {
			begun = true
			e.head(f, open)
		}
		text := labels.String()
		line := e.room(len(f.Name) + len(text) + longestNumber)
		line = append(line, f.Name...)
		line = append(line, text...)
		line = append(line, ' ')
		if open {
			line = appendOpenNumber(line, value)
		} else {
			line = appendNumber(line, value)
		}
		line = append(line, '\n')
		if _, err := e.w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// head writes the lines above the series. OpenMetrics omits the suffix of counters there, and escapes quotes.
func (e *Encoder) head(f *Family, open bool) {
	name := f.Name
	if open && f.Counter {
		name = strings.TrimSuffix(name, "_total")
	}
	kind := "gauge"
	if f.Counter {
		kind = "counter"
	}
	for _, part := range []string{"# HELP ", name, " ", escape(f.Help, open), "\n# TYPE ", name, " ", kind, "\n"} {
		_, _ = e.w.WriteString(part) // The next write returns the error again.
	}
}

func appendNumber(b []byte, v float64) []byte {
	switch v {
	case 0: // also negative zero
		return append(b, '0')
	case 1:
		return append(b, '1')
	default:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
}

// appendOpenNumber appends a number that looks like a float, as client_golang writes it in OpenMetrics.
func appendOpenNumber(b []byte, v float64) []byte {
	start := len(b)
	b = appendNumber(b, v)
	if bytes.ContainsAny(b[start:], "e.") || math.IsNaN(v) || math.IsInf(v, 0) {
		return b
	}
	return append(b, ".0"...)
}

package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parse parses an SVG file and returns its texts.
func parse(t *testing.T, svg []byte) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	var texts []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		if data, ok := token.(xml.CharData); ok && strings.TrimSpace(string(data)) != "" {
			texts = append(texts, string(data))
		}
	}
}

func TestSVG(t *testing.T) {
	c := Chart{
		Title: "Load <&>", X: "members", Y: "requests a second", LogX: true,
		Lines: []Line{
			{Name: "db", Points: []Point{{10, 5}, {100, 50}, {1000, 480}}, Dots: true},
			{Name: "zk", Points: []Point{{10, 1}, {0, 2}, {1000, math.NaN()}}, Step: true, Beyond: []Point{{1000, 3}, {9000, 4}}},
		},
		Marks: []Mark{{X: 500, Name: "now"}},
	}
	svg := string(c.SVG())
	texts := parse(t, []byte(svg))
	for _, want := range []string{"Load <&>", "members", "requests a second", "db", "zk", "now", "10", "1000", "500"} {
		require.Contains(t, texts, want)
	}
	require.NotContains(t, svg, "NaN")
	require.NotContains(t, svg, "Inf")
	require.Equal(t, 3, strings.Count(svg, "<circle"))
	require.Equal(t, 1, strings.Count(svg, `stroke-dasharray="6 5"`))
	require.Contains(t, texts, "3000", "the axis includes extrapolated points")
}

// Charts without values, or with a single value, can be drawn.
func TestChartsWithFewValues(t *testing.T) {
	for _, c := range []Chart{
		{},
		{LogX: true, LogY: true},
		{Lines: []Line{{Points: []Point{{0, 0}}}}},
		{LogX: true, LogY: true, Lines: []Line{{Points: []Point{{0, 0}, {1, 1}}}}},
		{Lines: []Line{{Points: []Point{{-3, 7}}}}},
	} {
		svg := c.SVG()
		parse(t, svg)
		require.NotContains(t, string(svg), "NaN")
		require.NotContains(t, string(svg), "Inf")
	}
}

func TestScale(t *testing.T) {
	for name, test := range map[string]struct {
		log   bool
		take  []float64
		ticks []float64
		where map[float64]float64
	}{
		"linear":   {false, []float64{3, 9.7}, []float64{0, 2, 4, 6, 8, 10}, map[float64]float64{0: 100, 10: 200, 5: 150}},
		"exact":    {false, []float64{5}, []float64{0, 1, 2, 3, 4, 5}, map[float64]float64{5: 200}},
		"negative": {false, []float64{-0.4, 0.4}, []float64{-0.4, -0.2, 0, 0.2, 0.4}, map[float64]float64{0: 150}},
		"log":      {true, []float64{10, 1000}, []float64{10, 30, 100, 300, 1000}, map[float64]float64{100: 150}},
		"wide log": {true, []float64{1, 90000}, []float64{1, 10, 100, 1000, 10000, 100000}, map[float64]float64{1: 100, 100000: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExtent(test.log)
			for _, v := range test.take {
				e.add(v)
			}
			s := e.scale(100, 200)
			require.InDeltaSlice(t, test.ticks, s.ticks, 1e-9)
			for v, at := range test.where {
				require.InDelta(t, at, s.at(v), 1e-9)
			}
		})
	}
	require.Equal(t, []string{"0.5", "1000", "20k", "1.5M"}, []string{number(0.5), number(1000), number(2e4), number(1.5e6)})
}

func TestDistribution(t *testing.T) {
	line := Distribution("db", []float64{3, 1}, 4)
	require.Equal(t, []Point{{0, 0}, {1, 25}, {3, 50}}, line.Points)
	require.True(t, line.Step)
}

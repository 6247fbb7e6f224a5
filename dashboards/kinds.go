package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// number shows the current value on a coloured tile. Missing is the text without a value.
func number(missing string, thresholds *dashboard.ThresholdsConfigBuilder, of ...word) *stat.PanelBuilder {
	return stat.NewPanelBuilder().
		ColorMode(common.BigValueColorModeBackground).
		Orientation(common.VizOrientationAuto).
		GraphMode(common.BigValueGraphModeNone).
		TextMode(common.BigValueTextModeAuto).
		ColorScheme(byThreshold()).
		Thresholds(thresholds).
		Mappings(words(missing, of...)).
		// The last value, even if it is null.
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"last"}))
}

// named shows the name of a number, in the number's colour.
func named(missing string, thresholds *dashboard.ThresholdsConfigBuilder) *stat.PanelBuilder {
	return number(missing, thresholds).TextMode(common.BigValueTextModeName)
}

// lines draws values over time, with an axis from zero. Gaps are not connected.
func lines() *timeseries.PanelBuilder { return signed().AxisSoftMin(0) }

// counts draws whole numbers, which are mostly 0.
func counts() *timeseries.PanelBuilder {
	return lines().LineInterpolation(common.LineInterpolationStepAfter).AxisSoftMax(1).Decimals(0)
}

// signed draws values that may be negative.
func signed() *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().
		DrawStyle(common.GraphDrawStyleLine).
		LineWidth(1).
		FillOpacity(5).
		ShowPoints(common.VisibilityModeAuto).
		SpanNulls(common.BoolOrFloat64{Bool: new(false)}).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassic)).
		Legend(legend()).
		Tooltip(tooltip())
}

// bars draws counts in each interval.
func bars() *timeseries.PanelBuilder {
	return lines().DrawStyle(common.GraphDrawStyleBars).FillOpacity(80).LineWidth(0).AxisSoftMax(1).Decimals(0).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
}

// legend lists the names of series beside the graph, where they are whole and can be scrolled.
func legend() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().
		DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementRight).ShowLegend(true)
}

// legendBelow lists the names of a few series below the graph.
func legendBelow() *common.VizLegendOptionsBuilder {
	return legend().Placement(common.LegendPlacementBottom)
}

func tooltip() *common.VizTooltipOptionsBuilder {
	return common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)
}

// timeline draws a row for each member, with its state over time.
func timeline() *statetimeline.PanelBuilder {
	return statetimeline.NewPanelBuilder().
		MergeValues(true).
		ShowValue(common.VisibilityModeAuto).
		RowHeight(0.85).
		FillOpacity(80).
		LineWidth(0).
		NeverSpanNulls().
		Mappings(states()).
		ColorScheme(byThreshold()).
		Thresholds(levels(unknown)).
		Legend(legend()).
		Tooltip(tooltip())
}

// heat draws a histogram over time. Unit is the unit of its buckets.
type heat struct{ unit string }

// Build implements [cog.Builder].
func (h heat) Build() (dashboard.Panel, error) {
	p, err := heatmap.NewPanelBuilder().
		Calculate(false).
		CellGap(1).
		ShowValue(common.VisibilityModeNever).
		Color(heatmap.NewHeatmapColorOptionsBuilder().Mode(heatmap.HeatmapColorModeScheme).Scheme("Oranges").Steps(32)).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(h.unit).AxisPlacement(common.AxisPlacementLeft)).
		CellValues(heatmap.NewCellValuesBuilder().Unit("short")).
		ShowLegend().
		Build()
	if err != nil {
		return p, err
	}
	p.Options = heatOptions{p.Options.(*heatmap.Options), heatTooltip{Show: true, Mode: common.TooltipDisplayModeSingle}}
	return p, nil
}

// heatOptions shows the tooltip in every release of Grafana: before 10.3 it needs show, since then mode.
type heatOptions struct {
	*heatmap.Options

	Tooltip heatTooltip `json:"tooltip"`
}

type heatTooltip struct {
	Show bool                      `json:"show"`
	Mode common.TooltipDisplayMode `json:"mode"`
}

// clocks draws differences of clocks. Without the axis to a second, differences of milliseconds would look large.
func clocks() *timeseries.PanelBuilder { return signed().AxisSoftMin(-1).AxisSoftMax(1) }

// withLimits draws heartbeat timeouts as dashed grey lines and thresholds of alerts as dashed red ones. Their names begin with these words.
func withLimits(b *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return dashed(dashed(b, "/^heartbeat timeout/", outside), "/^alert/", bad)
}

// dashed draws the series whose names match as dashed lines of a colour.
func dashed(b *timeseries.PanelBuilder, names, color string) *timeseries.PanelBuilder {
	return b.OverrideByRegexp(names, []dashboard.DynamicConfigValue{
		fixedColor(color),
		{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
		{Id: "custom.fillOpacity", Value: 0},
	})
}

// transitions draws deaths in red, recoveries in green and possible false deaths in yellow. Their names begin with these words.
func transitions(b *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return b.
		OverrideByRegexp("/^deaths/", []dashboard.DynamicConfigValue{fixedColor(bad)}).
		OverrideByRegexp("/^recoveries/", []dashboard.DynamicConfigValue{fixedColor(good)}).
		OverrideByRegexp("/^possible false deaths/", []dashboard.DynamicConfigValue{fixedColor(notable)})
}

func fixedColor(color string) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "color", Value: map[string]string{"mode": "fixed", "fixedColor": color}}
}

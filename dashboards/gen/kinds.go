package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/histogram"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/statushistory"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// number shows one present value on a coloured tile. Missing is what it says without one.
func number(missing string, thresholds *dashboard.ThresholdsConfigBuilder, of ...word) *stat.PanelBuilder {
	return stat.NewPanelBuilder().
		ColorMode(common.BigValueColorModeBackground).
		Orientation(common.VizOrientationAuto).
		GraphMode(common.BigValueGraphModeNone).
		TextMode(common.BigValueTextModeAuto).
		ColorScheme(byThreshold()).
		Thresholds(thresholds).
		Mappings(words(missing, of...)).
		// The last value, not the last that isn't null.
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"last"}))
}

// lines draws values over time, from zero. Gaps stay gaps.
func lines() *timeseries.PanelBuilder { return signed().AxisSoftMin(0) }

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

// bars draws what happened in each interval.
func bars() *timeseries.PanelBuilder {
	return lines().DrawStyle(common.GraphDrawStyleBars).FillOpacity(80).LineWidth(0).Decimals(0).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
}

func legend() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().
		DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)
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

// history draws a row for each group, with cells coloured by a ratio.
func history() *statushistory.PanelBuilder {
	return statushistory.NewPanelBuilder().
		ShowValue(common.VisibilityModeNever).
		RowHeight(0.85).
		ColWidth(0.9).
		FillOpacity(80).
		LineWidth(0).
		Min(0).Max(1).
		Mappings(words(noData)).
		ColorScheme(byThreshold()).
		// A group is degraded from a quarter down, and out when nobody is up.
		Thresholds(levels(bad, level{0.0001, warning}, level{0.7501, notable}, level{1, good})).
		Legend(legend()).
		Tooltip(tooltip())
}

// ages counts members by age, at present.
func ages() *histogram.PanelBuilder {
	return histogram.NewPanelBuilder().
		Combine(true).
		FillOpacity(80).
		LineWidth(1).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor(neutral)).
		Legend(common.NewVizLegendOptionsBuilder().
			DisplayMode(common.LegendDisplayModeHidden).Placement(common.LegendPlacementBottom).ShowLegend(false)).
		Tooltip(tooltip())
}

// heat draws a histogram over time. The unit is that of its buckets.
type heat struct{ unit string }

// Build gives the panel.
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

// heatOptions shows the tooltip in every release: before 10.3, Grafana asks for show, and since then for mode.
type heatOptions struct {
	*heatmap.Options

	Tooltip heatTooltip `json:"tooltip"`
}

type heatTooltip struct {
	Show bool                      `json:"show"`
	Mode common.TooltipDisplayMode `json:"mode"`
}

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

const (
	tableFormat   = prometheus.PromQueryFormatTable
	heatmapFormat = prometheus.PromQueryFormatHeatmap
)

// toFlappingRunbook is where a member that flaps leads.
const toFlappingRunbook = "${exporter:raw}/runbooks/ServiceGroupMemberFlapping"

// target draws the series whose names match as dashed red lines that nothing else is measured by.
func target(b *timeseries.PanelBuilder, names string) *timeseries.PanelBuilder {
	return b.OverrideByRegexp(names, []dashboard.DynamicConfigValue{
		{Id: "color", Value: map[string]string{"mode": "fixed", "fixedColor": bad}},
		{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
		{Id: "custom.fillOpacity", Value: 0},
	})
}

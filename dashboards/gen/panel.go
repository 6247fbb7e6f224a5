package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// noData is what a panel says that has nothing to show.
const noData = "no data"

// panel is what every panel has. What is particular to its kind is in draw.
type panel struct {
	title, about string
	unit         string
	empty        string // said when there is nothing to show; default: noData
	maxPoints    float64
	queries      []query
	draw         cog.Builder[dashboard.Panel] // default: lines
}

// query is one PromQL query.
type query struct {
	expr   string
	legend string
	format prometheus.PromQueryFormat // default: time series
	// now asks for the present value alone: what was true earlier must not stand for what isn't known now.
	now bool
}

func (p panel) build() (dashboard.Panel, error) {
	if p.draw == nil {
		p.draw = lines()
	}
	built, err := p.draw.Build()
	if err != nil {
		return built, err
	}
	ds := source()
	built.Title, built.Description, built.Datasource = &p.title, &p.about, &ds
	built.PluginVersion = new(pluginVersion)
	if p.maxPoints > 0 {
		built.MaxDataPoints = &p.maxPoints
	}
	for i, q := range p.queries {
		target, err := q.build(string(rune('A' + i)))
		if err != nil {
			return built, err
		}
		built.Targets = append(built.Targets, target)
	}
	if built.FieldConfig == nil {
		built.FieldConfig = &dashboard.FieldConfigSource{}
	}
	defaults := &built.FieldConfig.Defaults
	if p.unit != "" {
		defaults.Unit = &p.unit
	}
	defaults.NoValue = new(noData)
	if p.empty != "" {
		defaults.NoValue = &p.empty
	}
	return built, nil
}

func (q query) build(refID string) (variants.Dataquery, error) {
	b := prometheus.NewDataqueryBuilder().RefId(refID).Datasource(source()).Expr(q.expr).LegendFormat(q.legend)
	if q.format != "" {
		b.Format(q.format)
	}
	if q.now {
		b.Instant()
	} else {
		b.Range()
	}
	return b.Build()
}

package dashboards

import (
	"cmp"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

const (
	tableFormat   = prometheus.PromQueryFormatTable
	heatmapFormat = prometheus.PromQueryFormatHeatmap
)

// noData is the default text of a panel without data.
const noData = "no data"

// panel is the settings that all kinds of panels have in common. Draw has the others.
type panel struct {
	title, about string
	unit         string
	empty        string // the text without data; default: noData
	scrapes      int    // the least number of scrapes between two points of a graph; default: 1
	maxPoints    float64
	queries      []query
	draw         cog.Builder[dashboard.Panel] // default: lines
}

// query is one PromQL query.
type query struct {
	expr   string
	legend string
	format prometheus.PromQueryFormat // default: time series
	// now queries only the current value: an earlier value must not be shown if there is none now.
	now bool
}

func (p panel) build(o *Options) (dashboard.Panel, error) {
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
	for _, t := range built.Transformations {
		o.relabelColumns(t)
	}
	if p.maxPoints > 0 {
		built.MaxDataPoints = &p.maxPoints
	}
	for i, q := range p.queries {
		target, err := q.build(o, string(rune('A'+i)), o.step(cmp.Or(p.scrapes, 1)))
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

func (q query) build(o *Options, refID, step string) (variants.Dataquery, error) {
	b := prometheus.NewDataqueryBuilder().RefId(refID).Datasource(source()).Expr(o.relabel(q.expr)).LegendFormat(o.relabel(q.legend))
	if q.format != "" {
		b.Format(q.format)
	}
	if q.now {
		b.Instant()
	} else {
		b.Range().Interval(step)
	}
	return b.Build()
}

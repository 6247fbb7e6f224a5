package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The UIDs of the dashboards, which are fixed because alerts link to them.
const (
	overviewUID  = "servicegroup-overview"
	groupUID     = "servicegroup-group"
	detectionUID = "servicegroup-detection"
	exporterUID  = "servicegroup-exporter"
)

// Grafana 10 is the oldest supported release. It knows this schema; newer releases upgrade it when they load a dashboard.
const (
	schemaVersion = 38
	pluginVersion = "10.0.0"
)

// The types of the schema of Grafana 10. The SDK recommends the schema of Grafana 12.
type (
	document        = dashboard.Dashboard        //nolint:staticcheck // see above
	documentBuilder = dashboard.DashboardBuilder //nolint:staticcheck // see above
)

// page is a dashboard under construction.
type page struct {
	*Options

	uid     string
	builder *documentBuilder
	panels  uint32 // the number of panels so far
	err     error  // the first error
}

// newPage returns a dashboard with the settings that all have in common.
func newPage(o *Options, uid, title, description string) *page {
	b := dashboard.NewDashboardBuilder(o.TitlePrefix+title). //nolint:staticcheck // see document
									Uid(uid).
									Description(description).
									Tags(o.Tags).
									Timezone("").
									Readonly().
									Tooltip(dashboard.DashboardCursorSyncCrosshair).
									Time("now-3h", "now").
									Refresh("1m")
	p := &page{Options: o, uid: uid, builder: b}
	p.link(overviewUID, "Overview")
	p.link(groupUID, "Group")
	p.link(detectionUID, "Detection")
	p.link(exporterUID, "Exporter and bridge")
	return p
}

// link adds a link to another dashboard, with the same variables and time range.
func (p *page) link(uid, title string) {
	if uid == p.uid {
		return
	}
	p.builder.Link(dashboard.NewDashboardLinkBuilder(title).
		Type(dashboard.DashboardLinkTypeLink).
		Icon("dashboard").
		Url("/d/" + uid).
		IncludeVars(true).
		KeepTime(true))
}

// row starts a row of panels under a heading.
func (p *page) row(title string) {
	p.panels++
	p.builder.WithRow(dashboard.NewRowBuilder(title).Id(p.panels))
}

// add adds a panel after the others. Its size is in Grafana's grid of 24 columns.
func (p *page) add(width, height uint32, spec panel) {
	built, err := spec.build(p.Options)
	if err != nil {
		if p.err == nil {
			p.err = fmt.Errorf("panel %q: %w", spec.title, err)
		}
		return
	}
	p.panels++
	built.Id = new(p.panels)
	built.GridPos = &dashboard.GridPos{W: width, H: height}
	p.builder.WithPanel(finished(built))
}

// graph adds a panel that is half of the page wide.
func (p *page) graph(spec panel) { p.add(12, 7, spec) }

func (p *page) build() (document, error) {
	if p.err != nil {
		return document{}, p.err
	}
	d, err := p.builder.Build()
	d.SchemaVersion = schemaVersion
	// The SDK puts links and annotations in a menu, where newer releases of Grafana hide them.
	for i := range d.Links {
		d.Links[i].Placement = nil
	}
	for i := range d.Annotations.List {
		d.Annotations.List[i].Placement = nil
	}
	return d, err
}

// finished is a panel that is already built.
type finished dashboard.Panel

// Build implements [cog.Builder].
func (f finished) Build() (dashboard.Panel, error) { return dashboard.Panel(f), nil }

// source returns the data source that the user selected.
func source() common.DataSourceRef {
	return common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

// annotate marks in every graph when members died, when a source could not be read, and when an exporter started or read its
// configuration again. Its arguments are the dashboard's label matchers.
func (p *page) annotate(sources, groups, exporters string) {
	down := `servicegroup_members_down{` + groups + `}`
	p.mark("Deaths", bad, byGroup(highest(down)+` > last_over_time(`+down+`[1h] offset $__interval)`), "deaths in {{source}} {{group}} {{cluster}}")
	p.mark("Source can't be read", unknown, bySource(lowest(`servicegroup_source_up{`+sources+`}`))+` == bool 0`, "{{source}} can't be read {{cluster}}")
	started := `max by (` + instanceLabels + `) (` + changed(`process_start_time_seconds{`+exporters+`}`, "$__interval") + `)`
	loaded := `max by (` + instanceLabels + `) (` +
		changed(`servicegroup_config_last_reload_success_timestamp_seconds{`+exporters+`}`, "$__interval") + `)`
	p.mark("Exporter started", neutral, started, "{{instance}} started {{cluster}}")
	p.mark("Configuration loaded", neutral, loaded+` unless on (`+instanceLabels+`) `+started, "{{instance}} loaded its configuration {{cluster}}")
}

// annotateAlerts marks in every graph when a critical alert of the rules fired.
func (p *page) annotateAlerts() {
	p.mark("Critical alerts", warning, `max by (alertname, `+groupLabels+`) (ALERTS{`+ourAlerts+
		`, alertstate="firing", severity="critical"})`, "{{alertname}} {{source}} {{group}} {{cluster}}")
}

// mark annotates the times at which an expression is 1: Grafana ignores values of 0.
func (p *page) mark(name, color, expr, title string) {
	p.builder.Annotation(dashboard.NewAnnotationQueryBuilder().
		Name(name).
		Datasource(source()).
		Enable(true).
		IconColor(color).
		Expr(p.relabel(expr)).
		Step(p.step(1)).
		TitleFormat(p.relabel(title)))
}

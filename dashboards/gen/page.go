package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The dashboards' fixed addresses: alerts link to them.
const (
	overviewUID  = "servicegroup-overview"
	groupUID     = "servicegroup-group"
	detectionUID = "servicegroup-detection"
	exporterUID  = "servicegroup-exporter"
)

// Grafana 10 is the oldest that the dashboards are for. It knows this schema; newer ones upgrade it when they load it.
const (
	schemaVersion = 38
	pluginVersion = "10.0.0"
)

// The schema that Grafana 10 knows. The SDK prefers one that came with Grafana 12.
type (
	document        = dashboard.Dashboard        //nolint:staticcheck // see above
	documentBuilder = dashboard.DashboardBuilder //nolint:staticcheck // see above
)

// page is a dashboard under construction.
type page struct {
	uid     string
	builder *documentBuilder
	panels  uint32 // so many have been added
	err     error  // the first
}

// newPage starts a dashboard with what all have in common.
func newPage(uid, title, description string) *page {
	b := dashboard.NewDashboardBuilder(title). //nolint:staticcheck // see document
							Uid(uid).
							Description(description).
							Tags([]string{"servicegroup"}).
							Timezone("").
							Readonly().
							Tooltip(dashboard.DashboardCursorSyncCrosshair).
							Time("now-3h", "now").
							Refresh("30s")
	p := &page{uid: uid, builder: b}
	p.link(overviewUID, "Overview")
	p.link(groupUID, "Group")
	p.link(detectionUID, "Detection")
	p.link(exporterUID, "Exporter and bridge")
	return p
}

// link leads to another dashboard, with the same selection and time.
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

// add places a panel after the others. Its size is in Grafana's grid of 24 columns.
func (p *page) add(width, height uint32, spec panel) {
	built, err := spec.build()
	if err != nil {
		if p.err == nil {
			p.err = fmt.Errorf("panel %q: %w", spec.title, err)
		}
		return
	}
	p.panels++
	built.Id = new(p.panels)
	built.GridPos = &dashboard.GridPos{W: width, H: height}
	p.builder.WithPanel(ready(built))
}

// graph adds a panel that is a third of the page wide.
func (p *page) graph(spec panel) { p.add(8, 8, spec) }

func (p *page) build() (document, error) {
	if p.err != nil {
		return document{}, p.err
	}
	d, err := p.builder.Build()
	d.SchemaVersion = schemaVersion
	return d, err
}

// ready is a panel that needs no more building.
type ready dashboard.Panel

// Build gives the panel.
func (r ready) Build() (dashboard.Panel, error) { return dashboard.Panel(r), nil }

// source is the data source that the user picked.
func source() common.DataSourceRef {
	return common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// annotate marks in every graph when nothing was known, and when somebody was paged.
func (p *page) annotate() {
	p.mark("Source blind", unknown, ofSources(`servicegroup_source_up`)+` == bool 0`, "{{source}} can't be read")
	p.mark("Critical alerts", bad, `max by (alertname, source, group, member) (ALERTS{`+ourAlerts+
		`, alertstate="firing", severity="critical"})`, "{{alertname}} {{source}} {{group}} {{member}}")
}

// mark annotates the times at which an expression is 1: Grafana leaves out what is 0.
func (p *page) mark(name, color, expr, title string) {
	p.builder.Annotation(dashboard.NewAnnotationQueryBuilder().
		Name(name).
		Datasource(source()).
		Enable(true).
		IconColor(color).
		Expr(expr).
		TitleFormat(title))
}

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// datasource lets the user pick among the Prometheus data sources that are there.
func (p *page) datasource() {
	p.builder.WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"))
}

// pick is a variable with the values of a label. All means any value, also those that appear or vanish later.
func (p *page) pick(name, label, query string) {
	p.builder.WithVariable(choice(name, label, query).AllValue(".*"))
}

// pickKnown is one where All means the values that are listed, of a label that other targets have too.
func (p *page) pickKnown(name, label, query string) {
	p.builder.WithVariable(choice(name, label, query))
}

func choice(name, label, query string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).
		Label(label).
		Datasource(source()).
		Query(dashboard.StringOrMap{String: &query}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc).
		Multi(true).
		IncludeAll(true).
		Current(dashboard.VariableOption{
			Selected: new(true),
			Text:     dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}},
			Value:    dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
		})
}

func (p *page) sources() { p.pick("source", "Source", `label_values(servicegroup_source_up, source)`) }

func (p *page) groups() {
	p.pick("group", "Group", `label_values(service_up{source=~"$source"}, group)`)
}

func (p *page) zones() {
	p.pick("zone", "Zone", `label_values(service_up{source=~"$source", group=~"$group"}, zone)`)
}

// jobs has no "any": targets of others must not count.
func (p *page) jobs() {
	p.pickKnown("job", "Job", `label_values(servicegroup_config_last_reload_successful, job)`)
}

func (p *page) instances() {
	p.pickKnown("instance", "Instance", `label_values(servicegroup_config_last_reload_successful{job=~"$job"}, instance)`)
}

// exporterURL is where links to runbooks and members' pages lead.
func (p *page) exporterURL() {
	url := "http://localhost:10199"
	p.builder.WithVariable(dashboard.NewTextBoxVariableBuilder("exporter").
		Label("Exporter URL").
		Description("Where your browser reaches the exporter: its pages and runbooks are linked.").
		DefaultValue(dashboard.StringOrMap{String: &url}).
		Current(dashboard.VariableOption{
			Text:  dashboard.StringOrArrayOfString{String: &url},
			Value: dashboard.StringOrArrayOfString{String: &url},
		}))
}

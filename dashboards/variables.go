package dashboards

import (
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// datasource adds the variable for the Prometheus data source.
func (p *page) datasource() {
	p.builder.WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"))
}

// pick adds a variable with the values of a label. All matches any value, including those that are not listed.
func (p *page) pick(name, label, query string) {
	p.builder.WithVariable(choice(name, label, p.relabel(query)).AllValue(".*"))
}

// pickKnown adds a variable whose All matches only the listed values, for a label that other targets have too.
func (p *page) pickKnown(name, label, query string) {
	p.builder.WithVariable(choice(name, label, p.relabel(query)))
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

// pickOne adds a variable with one of the values of a label.
func (p *page) pickOne(name, label, query string) {
	query = p.relabel(query)
	p.builder.WithVariable(dashboard.NewQueryVariableBuilder(name).
		Label(label).
		Datasource(source()).
		Query(dashboard.StringOrMap{String: &query}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc))
}

// clusters lets the user select clouds. Without the label on any series, All is the only value.
func (p *page) clusters() {
	p.pick("cluster", "Cluster", `label_values(servicegroup_source_up, `+clusterLabel+`)`)
}

func (p *page) sources() {
	p.pick("source", "Source", `label_values(servicegroup_source_up{`+ofCluster+`}, source)`)
}

func (p *page) groups() {
	p.pick("group", "Group", `label_values(servicegroup_group_known{`+ofSource+`}, group)`)
}

func (p *page) zones() {
	p.pick("zone", "Zone", `label_values(service_up{`+ofGroup+`}, zone)`)
}

// member selects the member of the row "Member".
func (p *page) member() {
	p.pickOne("member", "Member", `label_values(service_up{`+ofMember+`}, member)`)
}

// jobs is limited to known values, so that targets of other programs are not counted. If the job is configured, it can be selected also
// while no exporter is up.
func (p *page) jobs() {
	known := `servicegroup_config_last_reload_successful{` + ofCluster + `}`
	if p.Job != "" {
		known = `up{` + ofCluster + `, job=` + strconv.Quote(p.Job) + `}`
	}
	p.pickKnown("job", "Job", `label_values(`+known+`, job)`)
}

func (p *page) instances() {
	p.pickKnown("instance", "Instance", `label_values(servicegroup_config_last_reload_successful{`+ofCluster+`, job=~"$job"}, instance)`)
}

// exporterURL adds the variable with the base URL of links to runbooks and members' pages.
func (p *page) exporterURL() {
	url := strings.TrimSuffix(p.ExporterURL, "/")
	p.builder.WithVariable(dashboard.NewTextBoxVariableBuilder("exporter").
		Label("Exporter URL").
		Description("The exporter's URL for your browser. Links to its pages and runbooks use it.").
		DefaultValue(dashboard.StringOrMap{String: &url}).
		Current(dashboard.VariableOption{
			Text:  dashboard.StringOrArrayOfString{String: &url},
			Value: dashboard.StringOrArrayOfString{String: &url},
		}))
}

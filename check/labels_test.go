package check

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// The alerts that the bridge posts have the labels of the configuration, whatever they are about and whatever their severity is.
func TestSameLabels(t *testing.T) {
	cfg := config.DefaultAlerting()
	cfg.Severities = map[string]string{alerts.Outage: "warning"}
	cfg.Groups = []config.AlertGroup{{Group: "compute", Severity: "warning"}}
	builder, report := alerts.NewBuilder(&cfg), &alertmanager.Report{}
	for _, id := range []alerts.ID{
		{Alert: alerts.MemberDown, Source: "nova", Group: "compute", Member: "c1", Host: "c1", Binary: "nova-compute", Zone: "az1"},
		{Alert: alerts.MemberDown, Source: "nova", Group: "conductor", Member: "c2", Host: "c2"},
		{Alert: alerts.Outage, Source: "nova", Group: "compute"},
		{Alert: alerts.ZoneDown, Source: "nova", Zone: "az1"},
		{Alert: alerts.SourceProblem, Source: "nova", Problem: "absent"},
		{Alert: alerts.MassFailure, Source: "another program's"},
	} {
		report.Alerts = append(report.Alerts, &alertmanager.Alert{Labels: builder.Build(id, alerts.Facts{}).Labels})
	}
	same := func() drivers.Finding { return sameLabels(report, &cfg, []sources.Source{{Name: "nova"}}) }
	require.Equal(t, drivers.OK("labels", "its 5 alerts about these sources have the labels of this configuration"), same())

	cfg.Groups = nil
	require.Equal(t, drivers.StatusWarning, same().Status)
	require.Contains(t, same().Text, "alertname, severity differ")
}

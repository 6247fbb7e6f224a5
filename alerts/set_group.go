package alerts

import (
	"fmt"
	"time"
)

// groupAlerts returns the alerts about groups as a whole.
func (c alerting) groupAlerts() []definition {
	keep := time.Duration(c.KeepFiringFor)
	return []definition{
		{
			name: Degraded, scope: scopeGroup, severity: severityCritical, parameter: setsRatio,
			expr: degraded, hold: time.Minute, keep: 5 * keep / 2,
			summary: "Many members of group {{ $labels.group }} are down",
			describe: "So many members of group {{ $labels.group }} of source {{ $labels.source }} are down that the group may not " +
				"be able to do its work. Members that are disabled or forced down are not counted.",
		},
		{
			name: Outage, scope: scopeGroup, severity: severityCritical,
			expr: fixed("servicegroup:members_down:count == servicegroup:members_in_service:count > 0"),
			hold: 30 * time.Second, keep: keep,
			summary:  "Group {{ $labels.group }} is down",
			describe: "Every member of group {{ $labels.group }} of source {{ $labels.source }} that is in service is down.",
		},
		{
			name: BelowMinimum, scope: scopeGroup, severity: severityCritical, parameter: setsMinimum,
			expr: belowMinimum, hold: time.Minute,
			summary: "Group {{ $labels.group }} has too few members",
			describe: "Group {{ $labels.group }} of source {{ $labels.source }} has fewer members that are up and in service than " +
				"the configured minimum.",
		},
		{
			name: "ServiceGroupDataMissing", scope: scopeGroup, severity: severityWarning, hold: 5 * time.Minute,
			expr: fixed(`group by (source, group) (last_over_time(servicegroup:service_up:max[1h]))
unless on (source, group) servicegroup:service_up:max
unless on (source) servicegroup_source_up`),
			summary: "No data for group {{ $labels.group }}",
			describe: "Group {{ $labels.group }} of source {{ $labels.source }} had members within the last hour. Now no exporter " +
				"reports the group or its source.",
		},
	}
}

func degraded(v variant) string {
	down, total := v.of("servicegroup:members_down:count"), v.of("servicegroup:members_in_service:count")
	return v.only(fmt.Sprintf("%s / %s >= %s\nand on (source, group) %[1]s >= 2", down, total, v.ratio()),
		"servicegroup:members_in_service:count")
}

// belowMinimum returns an empty expression for groups without a minimum.
func belowMinimum(v variant) string {
	if v.group == nil {
		return ""
	}
	return fmt.Sprintf("%s - on (source, group) %s < %d", v.of("servicegroup:members_in_service:count"),
		v.of("servicegroup:members_down:count"), v.group.MinMembers)
}

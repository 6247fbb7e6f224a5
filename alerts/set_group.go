package alerts

import "time"

// The numbers of members of each group. max: several Prometheus servers may have recorded them, as with federation.
const (
	groupDown      = `max by (cluster, source, group) (servicegroup:members_down{these})`
	groupInService = `max by (cluster, source, group) (servicegroup:members_in_service{these})`
)

// groupAlerts returns the alerts about groups as a whole.
func (c alerting) groupAlerts() []definition {
	keep := time.Duration(c.KeepFiringFor)
	return []definition{
		{
			name: Degraded, scope: scopeGroup, severity: severityCritical, hold: time.Minute, keep: 5 * keep / 2,
			expr:      groupDown + " >= 2\nand " + groupDown + "\n/ " + groupInService + " >= {ratio}",
			parameter: setsRatio, all: "servicegroup:members_down{these}",
			summary: "Many members of group {{ $labels.group }} are down",
			describe: "{value}{of group} members of group {{ $labels.group }} of source {{ $labels.source }} are down, so that the group " +
				"may not be able to do its work. Members that are disabled or forced down are not counted.",
		},
		{
			name: Outage, scope: scopeGroup, severity: severityCritical, hold: 30 * time.Second, keep: keep,
			expr:     groupDown + "\n== " + groupInService + " > 0",
			summary:  "Group {{ $labels.group }} is down",
			describe: "All members of group {{ $labels.group }} of source {{ $labels.source }} that are in service are down: {value}.",
		},
		{
			name: BelowMinimum, scope: scopeGroup, severity: severityCritical, hold: time.Minute,
			expr:      groupInService + "\n- " + groupDown + " < {minimum}",
			parameter: setsMinimum, // all is empty: other groups have no minimum.
			summary:   "Group {{ $labels.group }} has too few members",
			describe: "{value}{of group} members of group {{ $labels.group }} of source {{ $labels.source }} are up. That is fewer than " +
				"the configured minimum. Members that are disabled or forced down are not counted.",
		},
		{
			name: "ServiceGroupDataMissing", scope: scopeGroup, severity: severityWarning, hold: 5 * time.Minute,
			expr: `group by (cluster, source, group) (max_over_time(servicegroup_group_known{ours}[1h]) == 1)
unless on (cluster, source) servicegroup_source_up{ours}`,
			summary: "No data for group {{ $labels.group }}",
			describe: "Group {{ $labels.group }} of source {{ $labels.source }} was known within the last hour. Now no exporter " +
				"reports the group or its source.{last known}",
		},
	}
}

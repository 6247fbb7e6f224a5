package alerts

import "time"

// memberAlerts are about single members.
func (c alerting) memberAlerts() []definition {
	return []definition{
		{
			name: MemberDown, scope: scopeMember, severity: severityWarning, parameter: setsSeverity,
			expr: func(v variant) string {
				return v.only(v.of("servicegroup:member_down")+" == 1", "servicegroup:member_down")
			},
			keep:    time.Duration(c.KeepFiringFor),
			summary: "{{ $labels.member }} in group {{ $labels.group }} is down",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} has given no proof of " +
				"life for as long as a member may be silent. It is in service: nobody disabled it or forced it down.",
		},
		{
			name: "ServiceGroupMemberFlapping", scope: scopeMember, severity: severityWarning,
			// Prometheus extrapolates: it takes an increase by 4 for one by 4.3, as windows begin and end between scrapes.
			expr: fixed(`round(max by (source, group, member) (increase(servicegroup_member_transitions_total[15m]))) > 4`),
			keep: 15 * time.Minute, summary: "{{ $labels.member }} in group {{ $labels.group }} flaps",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} has died and recovered " +
				"more than twice within 15 minutes.",
		},
		{
			name: "ServiceGroupMemberAutoDisabled", scope: scopeMember, severity: severityWarning, hold: 5 * time.Minute,
			expr: fixed(`max by (source, group, member) (servicegroup_member_enabled) == 0
and on (source, group, member) servicegroup_member_info{disabled_reason=~"(?s)AUTO:.*"}`),
			summary: "{{ $labels.member }} in group {{ $labels.group }} has disabled itself",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} was disabled by the " +
				"service itself, not by an operator: its disabled_reason begins with AUTO. It takes no new work.",
		},
		{
			name: "ServiceGroupMemberDisabledLong", scope: scopeMember, severity: severityInfo, hold: 24 * time.Hour,
			// A day is long: without a look back a scrape that fails, or a restart, would begin it anew.
			expr: fixed(`max by (source, group, member) (last_over_time(servicegroup_member_enabled[15m])) == 0
unless on (source, group, member) last_over_time(servicegroup_member_info{disabled_reason=~"(?s)AUTO:.*"}[15m])`),
			summary: "{{ $labels.member }} in group {{ $labels.group }} has been disabled for a day",
			describe: "An operator disabled {{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} " +
				"more than a day ago. While it is disabled nobody is told when it dies.",
		},
		{
			name: "ServiceGroupMemberForcedDownLong", scope: scopeMember, severity: severityInfo, hold: 24 * time.Hour,
			// What an exporter that is no longer there said last does not count against what others say now.
			expr:    fixed(`min by (source, group, member) (last_over_time(servicegroup_member_forced_down[15m])) == 1`),
			summary: "{{ $labels.member }} in group {{ $labels.group }} has been forced down for a day",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} was forced down more " +
				"than a day ago, by an operator or a fencing agent. It counts as down whatever its heartbeats say.",
		},
		{
			name: "ServiceGroupHeartbeatClockSkew", scope: scopeMember, severity: severityWarning, hold: 5 * time.Minute,
			expr: fixed(`max by (source, group, member) (
  servicegroup_member_last_heartbeat_timestamp_seconds
  - timestamp(servicegroup_member_last_heartbeat_timestamp_seconds)
  - on (source, job, instance) group_left () servicegroup_source_clock_offset_seconds
) > 5`),
			summary: "The clock of {{ $labels.member }} in group {{ $labels.group }} is ahead",
			describe: "Heartbeats of {{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} are more " +
				"than 5 seconds ahead of the source's clock. Further ahead than the down time, it would count as down.",
		},
	}
}

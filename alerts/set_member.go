package alerts

import "time"

// memberAlerts returns the alerts about single members.
func (c alerting) memberAlerts() []definition {
	return []definition{
		{
			name: MemberDown, scope: scopeMember, severity: severityWarning, parameter: setsSeverity,
			expr: func(v variant) string {
				return v.only(v.of("servicegroup:member_down")+" == 1", "servicegroup:member_down")
			},
			keep:    time.Duration(c.KeepFiringFor),
			summary: "{{ $labels.member }} in group {{ $labels.group }} is down",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} is down by the rule of " +
				"its service: its last heartbeat is too old, or its znode is gone. It is in service: no operator disabled it or " +
				"forced it down while it was up.",
		},
		{
			name: "ServiceGroupMemberFlapping", scope: scopeMember, severity: severityWarning,
			// Prometheus extrapolates to the borders of the window, so that an increase by 4 may show as 4.3.
			expr: fixed(`round(max by (source, group, member) (increase(servicegroup_member_transitions_total[15m]))) > 4`),
			keep: 15 * time.Minute, summary: "{{ $labels.member }} in group {{ $labels.group }} is flapping",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} died and recovered more " +
				"than twice within 15 minutes.",
		},
		{
			name: "ServiceGroupMemberAutoDisabled", scope: scopeMember, severity: severityWarning, hold: 5 * time.Minute,
			expr: fixed(`max by (source, group, member) (servicegroup_member_enabled) == 0
and on (source, group, member) servicegroup_member_info{disabled_reason=~"(?s)AUTO:.*"}`),
			summary: "{{ $labels.member }} in group {{ $labels.group }} was disabled by its own service",
			describe: "The service itself, not an operator, disabled {{ $labels.member }} in group {{ $labels.group }} of source " +
				"{{ $labels.source }}: its disabled_reason begins with AUTO. It gets no new work.",
		},
		{
			name: "ServiceGroupMemberDisabledLong", scope: scopeMember, severity: severityInfo, hold: 24 * time.Hour,
			// Without last_over_time, a failed scrape or a restart would start the 24 hours again.
			expr: fixed(`max by (source, group, member) (last_over_time(servicegroup_member_enabled[15m])) == 0
unless on (source, group, member) last_over_time(servicegroup_member_info{disabled_reason=~"(?s)AUTO:.*"}[15m])`),
			summary: "{{ $labels.member }} in group {{ $labels.group }} has been disabled for a day",
			describe: "An operator disabled {{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} " +
				"more than a day ago. While it is disabled, no alert fires when it dies.",
		},
		{
			name: "ServiceGroupMemberForcedDownLong", scope: scopeMember, severity: severityInfo, hold: 24 * time.Hour,
			// min: the last value of an exporter that is gone must not outweigh the present values of others.
			expr:    fixed(`min by (source, group, member) (last_over_time(servicegroup_member_forced_down[15m])) == 1`),
			summary: "{{ $labels.member }} in group {{ $labels.group }} has been forced down for a day",
			describe: "{{ $labels.member }} in group {{ $labels.group }} of source {{ $labels.source }} was forced down more " +
				"than a day ago, by an operator or a fencing agent. It counts as down, even if its heartbeats arrive.",
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
				"than 5 seconds ahead of the source's clock. If they get ahead by more than the heartbeat timeout, it counts as down.",
		},
	}
}

package alerts

import (
	"fmt"
	"time"

	"servicegroup_exporter/config"
)

// memberDown returns the expression for a member that is down, which is so if all voters say so: an exporter says 1 for a member
// that is down, and 0 or nothing for others. For an hour after a member was down it says 0, so that the last value within an
// hour is never a death that has ended. It is no recording rule, because vmalert sees the result of one later.
//
// The second part only adds binary and zone, and makes the value the time since which the member is down; 1: it is not known. It
// takes no part in the vote, because exporters can disagree about them. "-" stands for none.
func (c alerting) memberDown() string {
	return `(count by ` + c.memberLabels() + ` (` + saidByVoters("servicegroup_member_down") + `)
/ on (cluster, source, group) group_left () (
  sum by (cluster, source, group) (servicegroup_group_known{ours}) > 0
  or group by (cluster, source, group) (last_over_time(servicegroup_group_known{ours}[1h]))
)
== 1)
` + c.withAttributes("servicegroup_member_down_since_timestamp_seconds")
}

// memberSuspected returns the expression for a member that is suspected, which is so if one voter says so: an exporter that has just been
// started suspects no member. Its value is the time of the member's last heartbeat.
func (c alerting) memberSuspected() string {
	return `group by ` + c.memberLabels() + ` (` + saidByVoters("servicegroup_member_suspected") + `)
` + c.withAttributes("servicegroup_member_suspected_since_timestamp_seconds")
}

// memberLabels returns the labels by which the rules identify a member.
func (c alerting) memberLabels() string {
	if c.HostLabel == "" {
		return "(cluster, source, group, member)"
	}
	return "(cluster, source, group, member, host)"
}

// saidByVoters returns the expression for the members for which an exporter's series is 1: one that can be scraped, or could within the
// last hour.
func saidByVoters(series string) string {
	return `
  (
    ` + series + `{ours}
    or last_over_time(` + series + `{ours}[1h]) unless on (cluster, job, instance) up{job} == 1
  ) == 1
  and on (cluster, job, instance, source, group) ` + voters + `
`
}

// withAttributes returns the end of an expression about members. It adds their binaries and zones, of which "-" stands for none, and
// makes the value that of a series with a time; 1: it is not known.
func (c alerting) withAttributes(series string) string {
	host := ", host"
	if c.HostLabel == "" {
		host = ""
	}
	return `* on ` + c.memberLabels() + ` group_right () (
  label_replace(label_replace(
    max by (cluster, source, group, member` + host + `, binary, zone) (
      last_over_time(` + series + `{ours}[1h])
    ) > 0,
  "binary", "", "binary", "-"), "zone", "", "zone", "-")
)`
}

// thisMember is how descriptions begin that are about a member.
const thisMember = "{{ $labels.member }}{binary} in group {{ $labels.group }} of source {{ $labels.source }}{zone}"

// memberAlerts returns the alerts about single members.
func (c alerting) memberAlerts() []definition {
	const all = "last_over_time(servicegroup_group_known{these}[1h])"
	const day, gap = 24 * time.Hour, 15 * time.Minute // A restart of the exporter, or a failed scrape, does not end these alerts.
	return []definition{
		{
			name: MemberDown, scope: scopeMember, severity: severityCritical, keep: time.Duration(c.KeepFiringFor),
			expr: c.memberDown(), parameter: setsSeverity, all: all,
			ofGroup: func(g *config.AlertGroup) string { return g.Severity }, hasHost: true,
			summary: "{{ $labels.member }} in group {{ $labels.group }} is down",
			describe: thisMember + " is down{since} by the rule of its service: its last heartbeat is too old, or its znode is gone. " +
				"It is in service: no operator disabled it or forced it down while it was up.{cause}",
		},
		{
			name: MemberSuspected, scope: scopeMember, severity: severityInfo, keep: time.Duration(c.KeepFiringFor),
			expr: c.memberSuspected(), parameter: setsSuspectedSeverity, all: all,
			ofGroup: func(g *config.AlertGroup) string { return g.SuspectedSeverity }, hasHost: true,
			summary: "{{ $labels.member }} in group {{ $labels.group }} is suspected to be dead",
			describe: thisMember + " has sent no heartbeat{since}, although it reports regularly. It is still up by the rule of its " +
				"service. If it is dead, ServiceGroupMemberDown will follow.",
		},
		{
			name: "ServiceGroupMemberFlapping", scope: scopeMember, severity: severityWarning, keep: 15 * time.Minute,
			expr:     `max by (cluster, source, group, member, binary, zone) (servicegroup_member_flapping{ours})`,
			summary:  "{{ $labels.member }} in group {{ $labels.group }} is flapping",
			describe: thisMember + " died and recovered more than twice within 15 minutes{changes}.",
		},
		{
			name: "ServiceGroupMemberAutoDisabled", scope: scopeMember, severity: severityWarning, keep: gap,
			expr:    disabledFor("auto_disabled", 5*time.Minute),
			summary: "{{ $labels.member }} in group {{ $labels.group }} was disabled by its own service",
			describe: thisMember + " has been disabled{since} by the service itself, not by an operator: its disabled_reason begins " +
				"with AUTO. It gets no new work.",
		},
		{
			name: "ServiceGroupMemberDisabledLong", scope: scopeMember, severity: severityInfo, keep: gap,
			expr:     disabledFor("disabled", day),
			summary:  "{{ $labels.member }} in group {{ $labels.group }} has been disabled for a day",
			describe: thisMember + " has been disabled{since} by an operator. While it is disabled, no alert fires when it dies.",
		},
		{
			name: "ServiceGroupMemberForcedDownLong", scope: scopeMember, severity: severityInfo, keep: gap,
			expr:    disabledFor("forced_down", day),
			summary: "{{ $labels.member }} in group {{ $labels.group }} has been forced down for a day",
			describe: thisMember + " has been forced down{since}, by an operator or a fencing agent. It counts as down, even if its " +
				"heartbeats arrive.",
		},
		{
			name: "ServiceGroupHeartbeatClockSkew", scope: scopeMember, severity: severityWarning, hold: 5 * time.Minute,
			expr:    `max by (cluster, source, group, member, binary, zone) (servicegroup_member_heartbeat_ahead_seconds{ours}) > 5`,
			summary: "The clock of {{ $labels.member }} in group {{ $labels.group }} is ahead",
			describe: thisMember + " sends heartbeats that are {duration} ahead of the source's clock. If they get ahead by more than the " +
				"heartbeat timeout, it counts as down.",
		},
	}
}

// disabledFor returns the expression for members that are disabled, for a reason, since at least some time. min: an exporter
// that began later than another knows less.
func disabledFor(reason string, d time.Duration) string {
	const since = `min by (cluster, source, group, member, binary, zone) (servicegroup_member_disabled_timestamp_seconds{ours, reason=%q})`
	return fmt.Sprintf(since+" <= time() - %.f", reason, d.Seconds())
}

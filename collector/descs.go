package collector

import "github.com/prometheus/client_golang/prometheus"

// descs describe every metric that is rendered from what polls found.
type descs struct {
	all []*prometheus.Desc // of sources: what Collect emits

	// Of a source.
	sourceUp, lastSuccess, pollDuration, clockOffset, downTime, newest, unknown, stalled, problems, sourceInfo *prometheus.Desc
	operations, reconnects, expirations                                                                        *prometheus.Desc
	// Of none: see [labelCheck].
	labelCheck *prometheus.Desc

	// Of a group.
	members, membersDown, inService, groupKnown, lastKnown, interval, age metric
	// Of a member, as configured.
	ofMember [seriesAgent]metric
	// Of the few members that are down or odd in another way.
	memberDown, downSince, suspected, suspectedSince, disabled, flapping, ahead metric
	// Of a zone.
	zoneInService, zoneDown, zoneHosts metric
	// Of a host, and of the members of a host that is down.
	hostUp, hostSuspected, hostDownSince, silentMember, cause metric
	// Of a member, by the OpenStack service that it belongs to.
	agents map[string]*agentMetric
}

// A metric is a metric with many series, which are not rendered again in each scrape: see [exposition].
type metric struct {
	name, help string
	labels     []string // sorted names
}

func newDescs(compat bool) *descs {
	d := &descs{}
	d.describeMembers()
	d.describeDecisions()
	d.describeGroups()
	d.describeHeartbeats()
	d.describeZones()
	d.describeHosts()
	d.describeSources()
	if compat {
		d.describeAgents()
	}
	return d
}

func (d *descs) add(name, help string, labels ...string) *prometheus.Desc {
	desc := prometheus.NewDesc(name, help, labels, nil)
	d.all = append(d.all, desc)
	return desc
}

func (d *descs) describeMembers() {
	member := func(series int, name, help string) { d.ofMember[series] = metric{name, help, commonLabels()} }
	member(seriesUp, "service_up",
		"The member is up (1) or down (0) by the service's own rule. There is no series while the state is unknown: alert on "+
			"== 0, and on servicegroup_source_up.")
	member(seriesHeartbeat, "servicegroup_member_last_heartbeat_timestamp_seconds",
		"The member sent its last heartbeat at this time by the backend's clock. Only backends that keep heartbeats have it.")
	member(seriesChanged, "servicegroup_member_state_change_timestamp_seconds",
		"This program saw the member go up or down, or first saw the member, at this time by its own clock.")
	member(seriesEnabled, "servicegroup_member_enabled",
		"Operators have enabled the member (1), or have disabled it (0) so that it takes no work. Leave disabled members out "+
			"of alerts.")
	member(seriesForced, "servicegroup_member_forced_down",
		"An operator or a fencing agent has forced the member down (1), or has not (0). A member that is forced down is down "+
			"whatever its heartbeats say.")
	member(seriesFenced, "servicegroup_member_fenced",
		"The member was dead (1) or up (0) before it was forced down. A fencing agent forces down dead members; an operator takes "+
			"live members out of service. Only members that are forced down have a series. Let alerts treat 1 as down.")
	member(seriesTransitions, "servicegroup_member_transitions_total",
		"The member died or recovered this many times. Alert on a high increase: the member flaps.")
	d.ofMember[seriesInfo] = metric{
		"servicegroup_member_info", "The labels are attributes of the member that may change. The value is always 1.",
		[]string{"binary", "disabled_reason", "group", "member", "source", "uuid", "version", "zone"},
	}
}

// commonLabels returns the labels of most series of a member, sorted.
func commonLabels() []string { return []string{"binary", "group", "member", "source", "zone"} }

// describeDecisions describes the series of members that are there whatever member_metrics says.
func (d *descs) describeDecisions() {
	d.memberDown = metric{
		"servicegroup_member_down",
		"The member is in service and down (1), by the last verdict on it: the series stays while the source, the group or the " +
			"member's row can't be read. It is 0 for one hour after that has ended. Other members have no series. Alert on == 1.",
		[]string{"binary", "group", "host", "member", "source", "zone"},
	}
	d.downSince = metric{
		"servicegroup_member_down_since_timestamp_seconds",
		"The member is in service and down since its last proof of life, at this time by this program's clock; 1 if none is known. " +
			"It is 0 for one hour after that has ended. Other members have no series. The labels binary and zone are - if the member has none, so that Prometheus " +
			"does not fill in the labels of the target.", d.memberDown.labels,
	}
	d.suspected = metric{
		"servicegroup_member_suspected",
		"The member is in service and suspected (1): its heartbeat is overdue, though it is up by the service's own rule. It is 0 for one " +
			"hour after that has ended: it has reported, is down or left. Other members have no series.", d.memberDown.labels,
	}
	d.suspectedSince = metric{
		"servicegroup_member_suspected_since_timestamp_seconds",
		"The member is in service and suspected, and silent since its last proof of life, at this time by this program's clock. It is 0 for " +
			"one hour after that has ended. Other members have no series. The labels binary and zone are - if the member has none, as in " +
			"servicegroup_member_down_since_timestamp_seconds.", d.memberDown.labels,
	}
	d.disabled = metric{
		"servicegroup_member_disabled_timestamp_seconds",
		"The member is not enabled since this time by this program's clock, as far as the program saw. The label reason is disabled " +
			"(by an operator), auto_disabled (by the service itself) or forced_down. Other members have no series. Alert when it is " +
			"long ago: maintenance may have been forgotten.",
		[]string{"binary", "group", "member", "reason", "source", "zone"},
	}
	d.flapping = metric{
		"servicegroup_member_flapping",
		"The member died and recovered more than 4 times within the last 15 minutes. The value is always 1. Other members have no " +
			"series. Alert on == 1.", commonLabels(),
	}
	d.ahead = metric{
		"servicegroup_member_heartbeat_ahead_seconds",
		"The member's newest heartbeat is ahead of the backend's clock by this much. Only members with more than one second have a " +
			"series. Alert on more than a few seconds: the clock of the member's machine is wrong.", commonLabels(),
	}
}

func (d *descs) describeGroups() {
	labels := []string{"group", "source"}
	d.members = metric{
		"servicegroup_members",
		"The group has this many members in each state: up, down, unknown, out_of_service. Each member is in exactly one. Those " +
			"that an operator has disabled or forced down are out_of_service. While the source can't be read, all others are unknown.",
		[]string{"group", "source", "state"},
	}
	d.membersDown = metric{
		"servicegroup_members_down",
		"This many members of the group are in service and down, by the last poll that knew the whole group. Alert on its share of " +
			"servicegroup_members_in_service.", labels,
	}
	d.inService = metric{
		"servicegroup_members_in_service",
		"This many members of the group are in service, up or down, by the last poll that knew the whole group. It is 0 for a group " +
			"that alerting.groups expects and that is absent. Alert when too few are left: less servicegroup_members_down.", labels,
	}
	d.groupKnown = metric{
		"servicegroup_group_known",
		"The last poll knew the group as a whole (1), or did not (0), because the source or the group can't be read or a member may " +
			"be up or down. The numbers of the group are older then.", labels,
	}
	d.lastKnown = metric{
		"servicegroup_group_last_known_timestamp_seconds",
		"The last poll that knew the whole group ended at this time by this program's clock; 0: none did. Of several exporters that " +
			"don't know a group, believe the one with the highest value.", labels,
	}
}

// describeHeartbeats describes how often the members of a group report, and how long ago they did.
func (d *descs) describeHeartbeats() {
	labels := []string{"group", "quantile", "source"}
	d.interval = metric{
		"servicegroup_reporting_interval_seconds",
		"This share of the group's members, the label quantile, has a learned time between heartbeats of at most this. Groups without members " +
			"that report regularly have no series.", labels,
	}
	d.age = metric{
		"servicegroup_heartbeat_age_seconds",
		"In the last poll, this share of the group's members in service, the label quantile, had a heartbeat of at most this age by the " +
			"backend's clock. Members that are down count. A heartbeat in the future has a negative age. Without heartbeats, or while they can't " +
			"be read, there are no series.", labels,
	}
}

// labelCheck returns the names of labels that a target must not overwrite.
func labelCheck() []string { return []string{"binary", "group", "host", "member", "source", "zone"} }

func (d *descs) describeSources() {
	source := func(name, help string, more ...string) *prometheus.Desc {
		return d.add(name, help, append([]string{"source"}, more...)...)
	}
	d.sourceUp = source("servicegroup_source_up",
		"The last poll of the source succeeded (1) or failed (0). Alert on == 0: the state of its members is unknown.")
	d.lastSuccess = source("servicegroup_source_last_success_timestamp_seconds",
		"The source was last read at this time by this program's clock; 0 if it never was. Alert when it is old.")
	d.pollDuration = source("servicegroup_source_poll_duration_seconds",
		"The last poll of the source took this long, whether it succeeded or failed.")
	d.clockOffset = source("servicegroup_source_clock_offset_seconds",
		"The source's clock is ahead of this machine's by this much. Only sources with a clock have it. Alert on more than a few "+
			"seconds.")
	d.downTime = source("servicegroup_source_heartbeat_timeout_seconds",
		"A member may be silent for this long and still counts as up: service_down_time or the session timeout.")
	d.newest = source("servicegroup_source_newest_heartbeat_timestamp_seconds",
		"The newest heartbeat of any member has this time by the source's clock. Alert when it is old: heartbeats are not arriving, "+
			"so suspect their path and not the members.")
	d.unknown = source("servicegroup_source_unknown_members",
		"This many members are unknown although the source can be read, because an outage excuses their silence or because their "+
			"entry can't be used.")
	d.stalled = source("servicegroup_source_heartbeats_stalled",
		"Heartbeats have stopped to arrive (1), or not (0): at least 3 members are in service, the newest heartbeat is older than "+
			"half of the heartbeat timeout, and no outage of the source ended within the last 2 minutes. Only sources with "+
			"heartbeats have it. Alert on == 1: suspect the path of the heartbeats, not the members.")
	d.problems = source("servicegroup_source_problems",
		"The source can be read, and something about it is probably not as the operator meant it (1), or not (0). The label "+
			"problem is absent (a configured chroot, prefix, file, table or group does not exist), unmatched (entries exist, "+
			"but none fits the configuration), unreadable (one group can't be read) or foreign (the rows belong to another "+
			"service). The value stays while the source can't be read. Alert on == 1; the log and the status page have the details.",
		"problem")
	d.labelCheck = d.add("servicegroup_label_check",
		"The value of each label is the label's own name, and the value of the series is always 1. Alert on a series without one of "+
			"these labels: Prometheus has renamed it, because the target has a label of the same name. Set honor_labels: true.",
		labelCheck()...)
	d.sourceInfo = source("servicegroup_source_info",
		"The labels describe the source. The value is always 1.", "driver", "schema", "layout", "backend")
	d.operations = source("servicegroup_source_requests_total",
		"Polls have sent this many requests to the source: queries, or round trips.")
	d.reconnects = source("servicegroup_source_reconnects_total",
		"This many connections were made to the source after the first one.")
	d.expirations = source("servicegroup_source_session_expirations_total",
		"The source has ended this many sessions of this program because it did not hear from the program in time.")
}

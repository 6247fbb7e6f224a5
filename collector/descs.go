package collector

import "github.com/prometheus/client_golang/prometheus"

// descs describe every metric that is rendered from what polls found.
type descs struct {
	all []*prometheus.Desc // of sources and groups: what Collect emits

	commonLabels, infoLabels []string // of members, sorted

	// Of a member, without the metrics of openstack-exporter.
	ofMember [seriesAgent]memberMetric
	// Of a group.
	members *prometheus.Desc
	// Of a source.
	sourceUp, lastSuccess, pollDuration, clockOffset, downTime, newest, unknown, sourceInfo *prometheus.Desc
	operations, reconnects, expirations                                                     *prometheus.Desc
	// Of a member, by the OpenStack service that it belongs to.
	agents map[string]*agentMetric
}

// A memberMetric is a metric that has a series for each member.
type memberMetric struct {
	name, help string
	labels     []string // sorted names
}

func newDescs(compat bool) *descs {
	d := &descs{}
	d.describeMembers()
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
	d.commonLabels = []string{"binary", "group", "member", "source", "zone"}
	d.infoLabels = []string{"binary", "disabled_reason", "group", "member", "source", "uuid", "version", "zone"}
	member := func(series int, name, help string) {
		labels := d.commonLabels
		if series == seriesInfo {
			labels = d.infoLabels
		}
		d.ofMember[series] = memberMetric{name, help, labels}
	}
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
	member(seriesInfo, "servicegroup_member_info",
		"The labels are attributes of the member that may change. The value is always 1.")
	d.members = d.add("servicegroup_members",
		"The group has this many members in each state: up, down, unknown, out_of_service. Each member is in exactly one. Those "+
			"that an operator has disabled or forced down are out_of_service. While the source can't be read, all others are unknown.",
		"source", "group", "state")
}

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
	d.sourceInfo = source("servicegroup_source_info",
		"The labels describe the source. The value is always 1.", "driver", "schema", "layout", "backend")
	d.operations = source("servicegroup_source_requests_total",
		"Polls have sent this many requests to the source: queries, or round trips.")
	d.reconnects = source("servicegroup_source_reconnects_total",
		"This many connections were made to the source after the first one.")
	d.expirations = source("servicegroup_source_session_expirations_total",
		"The source has ended this many sessions of this program because it did not hear from the program in time.")
}

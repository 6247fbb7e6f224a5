package collector

import "github.com/prometheus/client_golang/prometheus"

// descs describe every metric that is rendered from what polls found.
type descs struct {
	all []*prometheus.Desc // of sources and groups: what Collect emits

	commonLabels, infoLabels []string // of members, sorted

	// Of a member, without those of openstack-exporter.
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
		"Whether the member is up (1) or down (0) by the service's own rule. Absent while its source can't be read: "+
			"alert on == 0, and on servicegroup_source_up for what this can't see.")
	member(seriesHeartbeat, "servicegroup_member_last_heartbeat_timestamp_seconds",
		"Last heartbeat of the member by its backend's clock, where the backend keeps heartbeats.")
	member(seriesChanged, "servicegroup_member_state_change_timestamp_seconds",
		"When this program saw the member go up or down, or first saw the member, by its own clock.")
	member(seriesEnabled, "servicegroup_member_enabled",
		"Whether operators let the member take work (1) or have disabled it (0), where the backend knows. "+
			"Leave disabled members out of alerts.")
	member(seriesForced, "servicegroup_member_forced_down",
		"Whether an operator or a fencing agent forced the member down (1), where the backend knows. It is then down "+
			"whatever its heartbeats say.")
	member(seriesFenced, "servicegroup_member_fenced",
		"Whether a member that is forced down was dead before (1), as those are that a fencing agent forces down, or was "+
			"up (0): out of service on purpose. Absent for all others. Let alerts treat 1 as down.")
	member(seriesTransitions, "servicegroup_member_transitions_total",
		"Deaths and recoveries of the member. Alert on a high increase: the member flaps.")
	member(seriesInfo, "servicegroup_member_info",
		"Always 1. The labels are attributes of the member that may change.")
	d.members = d.add("servicegroup_members",
		"Members of the group that are up or down, or, while it is not known of some whether they outlived a time in which "+
			"they could not be seen, how many are unknown. Absent while the source can't be read.",
		"source", "group", "state")
}

func (d *descs) describeSources() {
	source := func(name, help string, more ...string) *prometheus.Desc {
		return d.add(name, help, append([]string{"source"}, more...)...)
	}
	d.sourceUp = source("servicegroup_source_up",
		"Whether the last poll of the source succeeded (1) or failed (0). Alert on == 0: nothing is known of its members.")
	d.lastSuccess = source("servicegroup_source_last_success_timestamp_seconds",
		"When the source was last read by this program's clock, 0 if never. Alert when it is old.")
	d.pollDuration = source("servicegroup_source_poll_duration_seconds",
		"How long the last poll of the source took, whether or not it succeeded.")
	d.clockOffset = source("servicegroup_source_clock_offset_seconds",
		"The source's clock less this machine's, where the source has one. Alert on more than a few seconds.")
	d.downTime = source("servicegroup_source_down_time_seconds",
		"How long a member may be silent and still counts as up: service_down_time or the session timeout.")
	d.newest = source("servicegroup_source_newest_heartbeat_timestamp_seconds",
		"The newest heartbeat of any member, by the source's clock. Alert when it is old: not the members but the way "+
			"of their heartbeats is broken.")
	d.unknown = source("servicegroup_source_unknown_members",
		"Members whose state is unknown because the source could not be read for a time, so that their silence proves "+
			"nothing yet, or because their entry can't be used.")
	d.sourceInfo = source("servicegroup_source_info",
		"Always 1. The labels say what the source is.", "driver", "schema", "layout", "backend")
	d.operations = source("servicegroup_source_operations_total",
		"Requests that polls have sent to the source: queries, or round trips.")
	d.reconnects = source("servicegroup_source_reconnects_total",
		"Connections made to the source after the first one.")
	d.expirations = source("servicegroup_source_session_expirations_total",
		"Sessions of this program that the source ended because it had not heard from it in time.")
}

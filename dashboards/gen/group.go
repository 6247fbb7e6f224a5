package main

import "github.com/grafana/grafana-foundation-sdk/go/units"

// timelineRows is the maximum number of rows of the state timeline, which shows all of them at once.
const timelineRows = "40"

// group shows the members of one or a few groups.
func group() *page {
	p := newPage(groupUID, "Service groups: group", "The members of a group: their states over time, how often they changed, "+
		"and the age of their heartbeats.")
	p.datasource()
	p.clusters()
	p.sources()
	p.groups()
	p.zones()
	p.exporterURL()
	p.annotate()

	p.row("Now")
	p.groupTiles()
	p.row("Members")
	p.add(24, 11, memberStates())
	p.add(24, 8, deadMembers())
	p.row("Deaths and recoveries")
	p.transitions()
	p.row("Heartbeats")
	p.heartbeats()
	return p
}

func (p *page) groupTiles() {
	p.add(3, 4, panel{
		title:   "Source can be read",
		about:   "Whether each selected source can be read by at least one exporter. If not, the states of its members are unknown.",
		unit:    units.Short,
		queries: []query{{expr: `min(` + ofSources(`servicegroup_source_up`) + `)`, now: true}},
		draw:    number(noData, levels(bad, level{1, good}), word{0, "NO", bad}, word{1, "yes", good}),
	})
	p.add(4, 4, panel{
		title: "Up", about: "Members of the selected groups, in any zone, that are up and in service.",
		unit: units.Short,
		// A group that is not known has no members that are up. That is not a 0.
		queries: []query{{expr: `sum(` + members("max", "up") + ` > 0 or 0 * ` + byGroup(known) + `)`, now: true}},
		draw:    number(noData, levels(bad, level{1, good})),
	})
	p.add(4, 4, panel{
		title: "Down",
		about: "Members in service that are down. Members of sources that can't be read count if they were down when it was last read.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + dead + `)`), now: true}}, draw: number(noData, none()),
	})
	p.add(4, 4, panel{
		title: "Suspected",
		about: "Members in service whose heartbeat is overdue, though they are up by the rule of their service.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + suspected + `)`), now: true}}, draw: number(noData, few()),
	})
	p.add(3, 4, panel{
		title: "Out of service",
		about: "Members of the selected groups, in any zone, that an operator disabled or forced down. Members that Nova disabled itself, " +
			"or that were forced down because they were dead (fenced), are not counted.",
		unit: units.Short, queries: []query{{expr: `sum(` + outOfService + `)`, now: true}},
		draw: number(noData, levels(outside)),
	})
	p.add(3, 4, panel{
		title: "Unknown",
		about: "Members of the selected groups, in any zone, whose state no exporter knows.",
		unit:  units.Short, queries: []query{{expr: `sum(` + members("min", "unknown") + `)`, now: true}}, draw: number(noData, few()),
	})
	p.add(3, 4, panel{
		title: "Flapping",
		about: "Members with more than 4 deaths and recoveries within 15 minutes.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + ofMembers("servicegroup_member_flapping") + `)`), now: true}},
		draw: number(noData, few()),
	})
}

// transitionsIn returns the expression for the deaths and recoveries of each member in a window.
func transitionsIn(window string) string {
	return byMember(`increase(servicegroup_member_transitions_total{` + ofMember + `}[` + window + `])`)
}

// stateNow is the state of each member. The value of a member that is out of service does not say whether it is up.
const stateNow = `(` + dead + ` * 0 or max by (` + memberLabels + `) (service_up{` + ofMember + `}) * 0 + 2 and on (` + memberLabels +
	`) servicegroup_member_disabled_timestamp_seconds{` + ofMember + `, reason=~"disabled|forced_down"} or max by (` + memberLabels +
	`) (service_up{` + ofMember + `}))`

// memberStates has a row for each member that was down in the selected time range. The query selects them at its end: otherwise
// a member would have no state before its first death.
func memberStates() panel {
	return panel{
		title: "States of members that were down in this time range",
		about: "The " + timelineRows + " members that were down longest in the selected time range, while they were in service. Others have " +
			"no row. A member that was down stays so while its source can't be read. Purple: no data, because the source could not be read or " +
			"the member did not exist.",
		empty: "No member was down, or there is no data: see \"Source can be read\"",
		unit:  units.Short,
		queries: []query{{
			expr: stateNow + ` and on (` + memberLabels + `) topk(` + timelineRows + `, ` +
				byMember(`sum_over_time(servicegroup_member_down{`+ofMember+`}[$__range] @ end())`) + ` > 0)`,
			legend: "{{group}} {{member}} {{cluster}}",
		}},
		draw: timeline(),
	}
}

func (p *page) transitions() {
	p.add(12, 8, panel{
		title: "Deaths and recoveries",
		about: "How often members died or recovered, by group, also between two scrapes. Counts are over a window of several scrapes, so " +
			"one death may appear in several bars.",
		unit: units.Short,
		queries: []query{{
			expr: `sum by (` + groupLabels + `) (` + transitionsIn("$__rate_interval") + `)`, legend: "{{source}} {{group}} {{cluster}}",
		}},
		draw: bars(),
	})
	p.add(12, 8, panel{
		title: "Members with most transitions",
		about: "Deaths and recoveries in the selected time range. A member that flaps is unhealthy even while it is up, or its connection " +
			"to the backend is.",
		empty: "No member died or recovered, or there is no data",
		queries: []query{{
			expr: `topk(20, round(` + transitionsIn("$__range") + `) > 0)`, format: tableFormat, now: true,
		}},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source"},
			column{from: "group", title: "Group"},
			column{from: "member", title: "Member", links: []link{
				{"The member's page", toMember, true}, {"Runbook: ServiceGroupMemberFlapping", toFlappingRunbook, true},
			}},
			column{from: "Value", title: "Transitions", unit: units.Short, order: descending},
		),
	})
}

// heartbeatAge is the age of the last heartbeat of each member that is up. Old heartbeats of dead members would dominate the graph.
const heartbeatAge = `((time() - max by (` + memberLabels + `) (servicegroup_member_last_heartbeat_timestamp_seconds{` + ofMember +
	`})) and on (` + memberLabels + `) service_up{` + ofMember + `} == 1)`

func (p *page) heartbeats() {
	const note = "Only members that are up, in backends with heartbeats. The age includes the time since the last scrape and the " +
		"difference between the clocks of the backend and Prometheus."
	age := func(q, legend string) query {
		return query{expr: `quantile(` + q + `, ` + heartbeatAge + `)`, legend: legend}
	}
	p.add(12, 8, panel{
		title: "Heartbeat age", about: "The age of the last heartbeats, and the heartbeat timeout. " + note,
		unit: units.Seconds,
		queries: []query{
			age("0", "youngest"), age("0.5", "median"), age("0.9", "90 %"), age("0.99", "99 %"), age("1", "oldest"),
			{expr: ofSources(`servicegroup_source_heartbeat_timeout_seconds`), legend: "heartbeat timeout of {{source}} {{cluster}}"},
		},
		draw: target(lines(), "/^heartbeat timeout/"),
	})
	p.add(12, 8, panel{
		title: "Heartbeat ages now", about: "The number of members by the age of their last heartbeat. " + note,
		unit:    units.Seconds,
		queries: []query{{expr: heartbeatAge, legend: "{{member}} {{cluster}}", now: true}},
		draw:    ages(),
	})
}

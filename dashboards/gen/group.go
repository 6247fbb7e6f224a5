package main

import "github.com/grafana/grafana-foundation-sdk/go/units"

// timelineRows is the maximum number of rows of the state timeline, which shows all of them at once.
const timelineRows = "40"

// flapWindow and flapLimit are the window and the limit of the alert ServiceGroupMemberFlapping.
const (
	flapWindow = "15m"
	flapLimit  = "4"
)

// group shows the members of one or a few groups.
func group() *page {
	p := newPage(groupUID, "Service groups: group", "The members of a group: their states over time, how often they changed, "+
		"and the age of their heartbeats.")
	p.datasource()
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
	p.add(4, 4, panel{
		title:   "Source can be read",
		about:   "Whether each selected source can be read by at least one exporter. If not, the states of its members are unknown.",
		unit:    units.Short,
		queries: []query{{expr: `min(` + ofSources(`servicegroup_source_up`) + `)`, now: true}},
		draw:    number(noData, levels(bad, level{1, good}), word{0, "NO", bad}, word{1, "yes", good}),
	})
	p.add(4, 4, panel{
		title: "Up", about: "Members in service that are up.",
		unit: units.Short, queries: []query{{expr: `sum(` + inService + `)`, now: true}},
		draw: number(noData, levels(bad, level{1, good})),
	})
	p.add(4, 4, panel{
		title: "Down", about: "Members in service that are down.",
		unit: units.Short, queries: []query{{expr: countFalse(inService), now: true}}, draw: number(noData, none()),
	})
	p.add(4, 4, panel{
		title: "Out of service",
		about: "Members that an operator disabled or forced down. Members that Nova disabled itself, or that were forced down because " +
			"they were dead (fenced), are not counted.",
		unit: units.Short, queries: []query{{expr: `sum(` + stateNow + ` == bool 2)`, now: true}},
		draw: number(noData, levels(outside)),
	})
	p.add(4, 4, panel{
		title: "Unknown",
		about: "Members of the selected groups, in any zone, whose state no exporter knows.",
		unit:  units.Short,
		// An exporter that knows the states of all members of a group reports up and down instead.
		queries: []query{{
			expr: `sum(min by (source, group) (servicegroup_members{` + ofGroup + `, state="unknown"})` +
				` unless on (source, group) servicegroup_members{` + ofGroup + `, state="up"}` +
				` or 0 * ` + byGroup(`servicegroup_members{`+ofGroup+`, state="up"}`) + `)`, now: true,
		}},
		draw: number(noData, few()),
	})
	p.add(4, 4, panel{
		title: "Flapping",
		about: "Members with more than " + flapLimit + " deaths and recoveries within " + flapWindow + ". A source whose members have only the metric " +
			"service_up has no data.",
		unit: units.Short,
		// Only of members with a known state now: a member that was removed within the window must not count as stable.
		queries: []query{{
			expr: `sum((round(` + transitionsIn(flapWindow) + `)` + inZone + `) > bool ` + flapLimit + `)`, now: true,
		}},
		draw: number(noData, few()),
	})
}

// transitionsIn returns the expression for the deaths and recoveries of each member in a window.
func transitionsIn(window string) string {
	return byMember(`increase(servicegroup_member_transitions_total{` + ofGroup + `, zone=~"$zone"}[` + window + `])`)
}

// memberStates has a row for each member that was down in the selected time range. The query selects them at its end: otherwise
// a member would have no state before its first death.
func memberStates() panel {
	return panel{
		title: "States of members that were down in this time range",
		about: "The " + timelineRows + " members that were down longest in the selected time range. Members that were always up, or out " +
			"of service and up, have no row. Purple: no data, because the source could not be read or the member did not exist.",
		empty: "No member was down, or there is no data: see \"Source can be read\"",
		unit:  units.Short,
		queries: []query{{
			expr: `servicegroup:member_state{` + ofGroup + `} and on (source, group, member) topk(` + timelineRows +
				`, (1 - avg_over_time(servicegroup:service_up:max{` + ofGroup + `}[$__range] @ end()) > 0)` +
				` and on (source, group, member) last_over_time(service_up{` + ofGroup + `, zone=~"$zone"}[$__range] @ end()))`,
			legend: "{{group}} {{member}}",
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
			expr: `sum by (source, group) (` + transitionsIn("$__rate_interval") + `)`, legend: "{{source}} {{group}}",
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
const heartbeatAge = `((time() - max by (source, group, member) (servicegroup_member_last_heartbeat_timestamp_seconds{` + ofGroup +
	`, zone=~"$zone"})) and on (source, group, member) servicegroup:service_up:max{` + ofGroup + `} == 1)`

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
			{expr: ofSources(`servicegroup_source_heartbeat_timeout_seconds`), legend: "heartbeat timeout of {{source}}"},
		},
		draw: target(lines(), "/^heartbeat timeout/"),
	})
	p.add(12, 8, panel{
		title: "Heartbeat ages now", about: "The number of members by the age of their last heartbeat. " + note,
		unit:    units.Seconds,
		queries: []query{{expr: heartbeatAge, legend: "{{member}}", now: true}},
		draw:    ages(),
	})
}

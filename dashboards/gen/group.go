package main

import "github.com/grafana/grafana-foundation-sdk/go/units"

// timelineRows bounds the state timeline, which shows every row at once.
const timelineRows = "40"

// flapWindow and flapLimit are those of the alert ServiceGroupMemberFlapping.
const (
	flapWindow = "15m"
	flapLimit  = "4"
)

// group shows the members of one group or a few.
func group() *page {
	p := newPage(groupUID, "Service groups: group", "The members of a group: their states over time, their flaps, and how old "+
		"their heartbeats are.")
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
	p.row("Transitions")
	p.transitions()
	p.row("Heartbeats")
	p.heartbeats()
	return p
}

func (p *page) groupTiles() {
	p.add(4, 4, panel{
		title:   "Source can be read",
		about:   "Whether all picked sources can be read by some exporter. While one can't, nothing is known of its members.",
		unit:    units.Short,
		queries: []query{{expr: `min(` + ofSources(`servicegroup_source_up`) + `)`, now: true}},
		draw:    number(noData, levels(bad, level{1, good}), word{0, "BLIND", bad}, word{1, "yes", good}),
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
		about: "Members that somebody has disabled or forced down on purpose. Those that Nova disabled itself are not among them, nor " +
			"those that were fenced because they were dead.",
		unit: units.Short, queries: []query{{expr: `sum(` + stateNow + ` == bool 2)`, now: true}},
		draw: number(noData, levels(outside)),
	})
	p.add(4, 4, panel{
		title: "Unknown",
		about: "Members of the picked groups, in any zone, of which no exporter knows whether they are up.",
		unit:  units.Short,
		// An exporter that knows all of a group gives up and down instead.
		queries: []query{{
			expr: `sum(min by (source, group) (servicegroup_members{` + ofGroup + `, state="unknown"})` +
				` unless on (source, group) servicegroup_members{` + ofGroup + `, state="up"}` +
				` or 0 * ` + byGroup(`servicegroup_members{`+ofGroup+`, state="up"}`) + `)`, now: true,
		}},
		draw: number(noData, few()),
	})
	p.add(4, 4, panel{
		title: "Flapping",
		about: "Members with more than " + flapLimit + " deaths and recoveries within " + flapWindow + ". A source that exposes service_up " +
			"alone has no data.",
		unit: units.Short,
		// Of members of which something is known now: what vanished within the window does not count as steady.
		queries: []query{{
			expr: `sum((round(` + flaps(flapWindow) + `)` + inZone + `) > bool ` + flapLimit + `)`, now: true,
		}},
		draw: number(noData, few()),
	})
}

// flaps counts deaths and recoveries of each member in a window.
func flaps(window string) string {
	return byMember(`increase(servicegroup_member_transitions_total{` + ofGroup + `, zone=~"$zone"}[` + window + `])`)
}

// memberStates has a row for each member that was down in the time shown. Which these are is decided once, at its end:
// otherwise a member would have no state before it first died.
func memberStates() panel {
	return panel{
		title: "States of members that were down in this time",
		about: "The " + timelineRows + " members that were down longest in the time shown. Members that were up all the time, or out of " +
			"service and up, have no row. Purple: nothing is known, as the source could not be read, or the member was not there.",
		empty: "Nobody was down, or nothing is known: see whether the source can be read",
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
		about: "How often members died or returned, by group, also between two scrapes. It is counted in a window of a few scrapes, so " +
			"that one death may show in several bars.",
		unit: units.Short,
		queries: []query{{
			expr: `sum by (source, group) (` + flaps("$__rate_interval") + `)`, legend: "{{source}} {{group}}",
		}},
		draw: bars(),
	})
	p.add(12, 8, panel{
		title: "Members with most transitions",
		about: "Deaths and recoveries in the time shown. A member that flaps is unhealthy even while it is up, and so may be its " +
			"way to the backend.",
		empty: "Nobody died or returned, or nothing is known",
		queries: []query{{
			expr: `topk(20, round(` + flaps("$__range") + `) > 0)`, format: tableFormat, now: true,
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

// heartbeatAge is the age of the last heartbeat of each member that is up. The dead would hide the living.
const heartbeatAge = `((time() - max by (source, group, member) (servicegroup_member_last_heartbeat_timestamp_seconds{` + ofGroup +
	`, zone=~"$zone"})) and on (source, group, member) servicegroup:service_up:max{` + ofGroup + `} == 1)`

func (p *page) heartbeats() {
	const note = "Of members that are up, where the backend keeps heartbeats. It includes the time since the last scrape, and the " +
		"difference between the clocks of backend and Prometheus."
	age := func(q, legend string) query {
		return query{expr: `quantile(` + q + `, ` + heartbeatAge + `)`, legend: legend}
	}
	p.add(12, 8, panel{
		title: "Heartbeat age", about: "How old the last heartbeats are, and how old they may get. " + note,
		unit: units.Seconds,
		queries: []query{
			age("0", "youngest"), age("0.5", "median"), age("0.9", "90 %"), age("0.99", "99 %"), age("1", "oldest"),
			{expr: ofSources(`servicegroup_source_down_time_seconds`), legend: "down time of {{source}}"},
		},
		draw: target(lines(), "/^down time/"),
	})
	p.add(12, 8, panel{
		title: "Heartbeat ages now", about: "How many members have a last heartbeat of which age. " + note,
		unit:    units.Seconds,
		queries: []query{{expr: heartbeatAge, legend: "{{member}}", now: true}},
		draw:    ages(),
	})
}

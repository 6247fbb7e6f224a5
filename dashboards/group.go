package dashboards

import (
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// timelineRows is the maximum number of rows of the state timeline, which shows all of them at once.
const timelineRows = "40"

// timelinePoints is the maximum number of its points. Each is the worst state since the point before, so that fewer hide nothing.
const timelinePoints = 300

// group shows the members of one or a few groups.
func group(o *Options) *page {
	p := newPage(o, groupUID, "group", "The members of a group: their states over time, how often they changed, "+
		"and the age of their heartbeats.")
	p.datasource()
	p.clusters()
	p.sources()
	p.groups()
	p.zones()
	p.member()
	p.died()
	p.changed()
	p.jobs()
	p.exporterURL()
	p.annotate(ofSource, ofGroup, ofJobs)
	p.annotateAlerts()

	p.row("Now")
	p.groupTiles()
	p.row("Members")
	p.add(24, 11, memberStates())
	p.add(24, 8, deadMembers())
	p.row("Deaths and recoveries")
	p.transitions()
	p.row("Heartbeats")
	p.heartbeats()
	p.row("Member $member")
	p.oneMember()
	return p
}

func (p *page) groupTiles() {
	p.add(6, 3, panel{
		title: "Sources unreadable",
		about: "Selected sources that no exporter can read. The states of their members are unknown.",
		unit:  units.Short, queries: unreadableSources(), draw: named(noData, none()),
	})
	p.add(6, 3, panel{
		title: "Up", about: "Members of the selected groups, in any zone, that are up and in service.",
		unit: units.Short,
		// A group that is not known has no members that are up. That is not a 0.
		queries: []query{{expr: `sum(` + members("max", "up") + ` > 0 or 0 * ` + byGroup(known) + `)`, now: true}},
		draw:    number(noData, levels(bad, level{1, good})),
	})
	p.add(6, 3, panel{
		title: "Down",
		about: "Members in service that are down. Members of sources that can't be read count if they were down when it was last read.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + dead() + `)`), now: true}}, draw: number(noData, none()),
	})
	p.add(6, 3, panel{
		title: "Suspected",
		about: "Members in service whose heartbeat is overdue, though they are up by the rule of their service.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + suspected + `)`), now: true}}, draw: number(noData, few()),
	})
	p.add(8, 3, panel{
		title: "Out of service",
		about: "Members of the selected groups, in any zone, that an operator disabled or forced down. Members that Nova disabled itself, " +
			"or that were forced down because they were dead (fenced), are not counted.",
		unit: units.Short, queries: []query{{expr: `sum(` + outOfService + `)`, now: true}},
		draw: number(noData, levels(outside)),
	})
	p.add(8, 3, panel{
		title: "Unknown",
		about: "Members of the selected groups, in any zone, whose state no exporter knows.",
		unit:  units.Short, queries: []query{{expr: `sum(` + members("min", "unknown") + `)`, now: true}}, draw: number(noData, few()),
	})
	p.add(8, 3, panel{
		title: "Flapping",
		about: "Members with more than 4 deaths and recoveries within 15 minutes.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + ofMembers("servicegroup_member_flapping") + `)`), now: true}},
		draw: number(noData, few()),
	})
}

// statesOf returns the expression for the state of each member by its label matchers: the worst that an exporter saw since the step
// before. The value of a member that is out of service does not say whether it is up.
func statesOf(matchers string) string {
	up := `max by (` + memberLabels + `) (` + lowest(`service_up{`+matchers+`}`) + `)`
	down := highest(`servicegroup_member_down{`+matchers+`}`) + ` == 1`
	join := `max by (` + memberLabels + `) (` + down
	return `((` + join + whoKnows + `) or ` + join + whoKnew + `)` + noneKnows + `) * 0 or ` + up + ` * 0 + 2 and on (` + memberLabels +
		`) servicegroup_member_disabled_timestamp_seconds{` + matchers + `, reason=~"disabled|forced_down"} or ` + up + `)`
}

// ofDied is the label matchers of the members that were down longest in the selected time range. Members of several groups can have the name
// of one.
const ofDied = ofMember + `, member=~"$died"`

// downFor returns the expression for how often each member was down in the selected time range. Others have no result.
func downFor(matchers, end string) string {
	return byMember(`sum_over_time(servicegroup_member_down{`+matchers+`}[$__range]`+end+`)`) + ` > 0`
}

// died finds the members of the state timeline. A variable has their names, so that its query reads the states of no others.
func (p *page) died() {
	p.builder.WithVariable(choice("died", "Died", p.relabel(`query_result(topk(`+timelineRows+`, `+downFor(ofMember, "")+`))`)).
		Regex(`/member="([^"]*)"/`).
		Hide(dashboard.VariableHideHideVariable))
}

// changed finds members that died in the selected time range, by the series that only members have which are down or were down within an
// hour. The table of transitions reads the counters of these: over a day, the counters of all members would take seconds. A series does not change
// if its member was down for all of its samples, or died and recovered between two, so these are more members than the table has rows.
func (p *page) changed() {
	p.builder.WithVariable(choice("changed", "Changed", p.relabel(`query_result(topk(100, `+
		byMember(`changes(servicegroup_member_down{`+ofMember+`}[$__range])`)+`))`)).
		Regex(`/member="([^"]*)"/`).
		Hide(dashboard.VariableHideHideVariable))
}

// memberStates has a row for each member that was down in the selected time range. The query selects them at its end: otherwise
// a member would have no state before its first death.
func memberStates() panel {
	return panel{
		title: "States of members that were down in this time range",
		about: "The " + timelineRows + " members that were down longest in the selected time range, while they were in service. Others have " +
			"no row. A member that was down stays so while its source can't be read. Purple: no data, because the source could not be read or " +
			"the member did not exist.",
		empty: "No member was down, or there is no data: see \"Sources unreadable\"",
		unit:  units.Short, maxPoints: timelinePoints,
		queries: []query{{
			expr: statesOf(ofDied) + ` and on (` + memberLabels + `) ` + downFor(ofDied, " @ end()"), legend: "{{group}} {{member}} {{cluster}}",
		}},
		draw: timeline(),
	}
}

func (p *page) transitions() {
	p.add(12, 8, panel{
		title: "Deaths and recoveries",
		about: "How many members of the selected groups, in any zone, died and recovered in each interval, also between two scrapes.",
		unit:  units.Short, scrapes: barScrapes,
		queries: slices.Concat(
			bothKinds("deaths {{cluster}}", latency().events()), bothKinds("recoveries {{cluster}}", outages().events())),
		draw: transitions(bars()).Legend(legendBelow()),
	})
	p.add(12, 8, panel{
		title: "Members with most transitions",
		about: "Deaths and recoveries in the selected time range, of the members that died while they were in service. A member that flaps is " +
			"unhealthy even while it is up, or its connection to the backend is.",
		empty: "No member died or recovered, or there is no data",
		queries: []query{{
			expr:   `topk(20, round(` + byMember(`increase(servicegroup_member_transitions_total{`+ofMember+`, member=~"$changed"}[$__range])`) + `) > 0)`,
			format: tableFormat, now: true,
		}},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source", width: wideName},
			column{from: "group", title: "Group", width: wideName},
			column{from: "member", title: "Member", min: wideMember, links: []link{
				{"The member's page", toMember, true}, {"The member over time", toGraphs, false}, {"Runbook: ServiceGroupMemberFlapping", toFlappingRunbook, true},
			}},
			column{from: "Value", title: "Transitions", width: 95, unit: units.Short, order: descending},
		),
	})
}

func (p *page) heartbeats() {
	age := func(q, legend string) query {
		return query{
			expr:   `max by (` + clusterLabel + `) (` + byGroup(`servicegroup_heartbeat_age_seconds{`+ofGroup+`, quantile="`+q+`"}`) + `)`,
			legend: legend + " {{cluster}}",
		}
	}
	p.add(24, 8, panel{
		title: "Heartbeat age",
		about: "The age of the last heartbeats of members in service, at the time of the poll, in the selected groups and any zone; and the heartbeat " +
			"timeout. Members that are down count, so the oldest are left out. Of several groups, the one with the older heartbeats is shown.",
		unit: seconds, empty: "no data: the backend has no heartbeats",
		queries: []query{
			age("0", "youngest"), age("0.5", "median"), age("0.9", "90 %"), age("0.99", "99 %"),
			{expr: ofSources(`servicegroup_source_heartbeat_timeout_seconds`), legend: "heartbeat timeout of {{source}} {{cluster}}"},
		},
		draw: withLimits(lines()),
	})
}

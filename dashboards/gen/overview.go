package main

import "github.com/grafana/grafana-foundation-sdk/go/units"

// overview is where somebody who was woken looks first: who is dead, and whether it is the members or the backend.
func overview() *page {
	p := newPage(overviewUID, "Service groups: overview",
		"Who is dead, since when, and whether it is the members or the backend.")
	p.datasource()
	p.sources()
	p.groups()
	p.zones()
	p.jobs()
	p.exporterURL()

	p.row("Now")
	p.overviewTiles()
	p.row("Members")
	p.add(24, 9, deadMembers())
	p.add(12, 9, panel{
		title: "Members that are up, by group",
		about: "The share of each group's members in service that are up. Cells without a colour of their own are times of which " +
			"nothing is known: the source could not be read.",
		unit: units.PercentUnit, maxPoints: 50,
		queries: []query{{expr: `avg by (source, group) (` + inService + `)`, legend: "{{source}} {{group}}"}},
		draw:    history(),
	})
	p.add(12, 9, alerts())
	p.row("Sources")
	p.add(24, 7, sourcesTable())
	return p
}

func (p *page) overviewTiles() {
	p.add(3, 4, panel{
		title: "Members down",
		about: "Members in service that are down. Members of blind sources are not counted: nothing is known of them.",
		unit:  units.Short, queries: []query{{expr: countFalse(inService), now: true}}, draw: number(noData, none()),
	})
	p.add(3, 4, panel{
		title: "Groups in outage",
		about: "Groups with members in service of which none is up.",
		unit:  units.Short, queries: []query{{expr: countFalse(byGroup(inService)), now: true}}, draw: number(noData, none()),
	})
	p.add(3, 4, panel{
		title: "Sources blind",
		about: "Sources that no exporter can read. Nothing is known of their members: nobody would notice if one died.",
		unit:  units.Short, queries: []query{{expr: countFalse(ofSources(`servicegroup_source_up`)), now: true}}, draw: number(noData, none()),
	})
	p.add(3, 4, panel{
		title: "Members unknown",
		about: "Members of readable sources of which no exporter knows whether they are up.",
		unit:  units.Short,
		queries: []query{{
			expr: `sum(min by (source) (servicegroup_source_unknown_members{` + ofSource + `}))`, now: true,
		}},
		draw: number(noData, few()),
	})
	p.add(3, 4, panel{
		title: "View age",
		about: "How long ago the source that was longest unread was read. With the usual scrape a minute, it stays below two minutes.",
		unit:  units.Seconds,
		queries: []query{{
			expr: `max(` + since(ofSources(`servicegroup_source_last_success_timestamp_seconds`)) + `)`, now: true,
		}},
		draw: number(noData, levels(good, level{120, warning}, level{300, bad})),
	})
	p.add(3, 4, panel{
		title: "Exporters down",
		about: "Exporters that Prometheus can't scrape. Without any there is no data on this page.",
		unit:  units.Short, queries: []query{{expr: `sum(up{job=~"$job"} == bool 0)`, now: true}}, draw: number(noData, few()),
	})
	p.add(3, 4, panel{
		title: "Alertmanagers down",
		about: "Alertmanagers that no exporter's bridge can reach. Prometheus has its own way to them.",
		unit:  units.Short, empty: noBridge,
		queries: []query{{expr: countFalse(`max by (alertmanager) (servicegroup_alerts_alertmanager_up{job=~"$job"})`), now: true}},
		draw:    number(noBridge, none()),
	})
	p.add(3, 4, panel{
		title: "Alerts firing",
		about: "Alerts of the shipped rules. No data: Prometheus does not evaluate them.",
		unit:  units.Short, empty: "no data: rules not loaded",
		queries: []query{{
			expr: `count(` + alertsFiring + `) or 0 * count(ALERTS{alertname="ServiceGroupWatchdog", alertstate="firing"})`, now: true,
		}},
		draw: number("no data: rules not loaded", few()),
	})
}

// ourAlerts are those about the picked sources and groups, and those about none.
const (
	ourAlerts    = `alertname=~"ServiceGroup.*", alertname!="ServiceGroupWatchdog", source=~"$source|", group=~"$group|"`
	alertsFiring = `ALERTS{` + ourAlerts + `, alertstate="firing"}`
)

// alerts lists what the rules say. It is a table rather than Grafana's own list, which needs a data source with a ruler.
func alerts() panel {
	const labels = `alertname, severity, source, group, member`
	return panel{
		title: "Alerts",
		about: "Alerts of the shipped rules, pending ones included. Names lead to runbooks. What the bridge alone has sent is " +
			"in Alertmanager only. The stat \"Alerts firing\" tells whether the rules are evaluated at all.",
		empty: "No alert, or no rules: see the alerts firing",
		queries: []query{
			{expr: `max by (` + labels + `, alertstate) (ALERTS{` + ourAlerts + `})`, format: tableFormat, now: true},
			{expr: `1000 * max by (` + labels + `) (ALERTS_FOR_STATE{` + ourAlerts + `})`, format: tableFormat, now: true},
		},
		draw: rows(
			column{from: "alertname", title: "Alert", links: []link{{"Runbook", toRunbook, true}}},
			column{from: "severity", title: "Severity"},
			column{from: "alertstate", title: "State"},
			column{from: "source", title: "Source"},
			column{from: "group", title: "Group"},
			column{from: "member", title: "Member"},
			column{from: "Value #B", title: "Since", unit: units.DateTimeFromNow, order: descending},
			column{from: "Value #A"},
		),
	}
}

// sourcesTable says of each source whether it can be read.
func sourcesTable() panel {
	members := func(state string) query {
		return query{
			expr:   `sum by (source) (` + byGroup(`servicegroup_members{`+ofGroup+`, state="`+state+`"}`) + `)`,
			format: tableFormat, now: true,
		}
	}
	return panel{
		title: "Sources",
		about: "The backends that are read. One that is blind keeps its members out of everything above. A newest heartbeat that " +
			"is old says that not the members but the way of their heartbeats is broken.",
		queries: []query{
			{expr: ofSources(`servicegroup_source_up`), format: tableFormat, now: true},
			{expr: `max by (source, driver, schema, layout) (servicegroup_source_info{` + ofSource + `})`, format: tableFormat, now: true},
			{expr: `1000 * (` + ofSources(`servicegroup_source_last_success_timestamp_seconds`) + ` > 0)`, format: tableFormat, now: true},
			{expr: `1000 * ` + ofSources(`servicegroup_source_newest_heartbeat_timestamp_seconds`), format: tableFormat, now: true},
			members("up"), members("down"),
			{expr: `min by (source) (servicegroup_source_unknown_members{` + ofSource + `})`, format: tableFormat, now: true},
		},
		draw: rows(
			column{from: "source", title: "Source"},
			column{
				from: "Value #A", title: "Can be read", order: ascending,
				words: words(noData, word{0, "BLIND", bad}, word{1, "yes", good}),
			},
			column{from: "driver", title: "Driver"},
			column{from: "schema", title: "Schema"},
			column{from: "layout", title: "Layout"},
			column{from: "Value #C", title: "Last read", unit: units.DateTimeFromNow},
			column{from: "Value #D", title: "Newest heartbeat", unit: units.DateTimeFromNow},
			column{from: "Value #E", title: "Up", unit: units.Short},
			column{from: "Value #F", title: "Down", unit: units.Short},
			column{from: "Value #G", title: "Unknown", unit: units.Short},
			column{from: "Value #B"},
		),
	}
}

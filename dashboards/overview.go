package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// overview is the first dashboard in an incident: it shows which members are down, and whether the cause is the members or the
// backend.
func overview(o *Options) *page {
	p := newPage(o, overviewUID, "overview",
		"Which members are down, since when, and whether the cause is the members or the backend.")
	p.datasource()
	p.clusters()
	p.sources()
	p.groups()
	p.zones()
	p.jobs()
	p.exporterURL()
	p.annotate(ofSource, ofGroup, ofJobs)
	p.annotateAlerts()

	p.row("Now")
	p.overviewTiles()
	p.row("Members")
	p.add(24, 9, deadMembers())
	p.row("Hosts and zones")
	p.add(14, 7, deadHosts())
	p.add(10, 7, zonesTable())
	p.row("Groups")
	p.add(24, 10, p.groupsTable())
	p.add(24, 8, panel{
		title: "Members down, by group",
		about: "Members in service that are down: the highest number since the point before, so that a short outage is visible in every time range. " +
			"While no exporter can read a group, its last known number stays.",
		unit: units.Short, empty: noData,
		queries: []query{{
			expr: `min by (` + groupLabels + `) (` + highest(membersDown) + ` and on (` + viewLabels + `) ` + lowest(`servicegroup_group_known{`+ofGroup+`}`) +
				` == 1) or ` + byGroup(highest(membersDown)),
			legend: "{{source}} {{group}} {{cluster}}",
		}},
		draw: counts(),
	})
	p.row("Alerts")
	p.add(24, 11, alertsTable())
	p.row("Sources")
	p.add(24, 7, sourcesTable())
	return p
}

func (p *page) overviewTiles() {
	p.add(6, 3, panel{
		title: "Members down",
		about: "Members in service that are down. Members of sources that can't be read count if they were down when it was last read.",
		unit:  units.Short, queries: []query{{expr: orZero(`count(` + dead() + `)`), now: true}}, draw: number(noData, none()),
	})
	p.add(6, 3, panel{
		title: "Groups in outage",
		about: "Groups that have members in service, none of which is up.",
		unit:  units.Short,
		queries: []query{{
			expr: orZero(`count(` + decided("min", membersDown) + ` == ` + decided("max", membersInService) + ` > 0)`), now: true,
		}},
		draw: number(noData, none()),
	})
	p.add(6, 3, panel{
		title: "Sources unreadable",
		about: "Sources that no exporter can read. The states of their members are unknown, so a death would not be detected.",
		unit:  units.Short, queries: unreadableSources(), draw: named(noData, none()),
	})
	p.add(6, 3, panel{
		title: "Members unknown",
		about: "Members whose state no exporter knows, including all members in service of sources that can't be read.",
		unit:  units.Short, queries: []query{{expr: `sum(` + members("min", "unknown") + `)`, now: true}}, draw: number(noData, few()),
	})
	p.add(6, 3, panel{
		title: "Oldest read",
		about: "How long ago the source with the oldest read was read. It is orange after two scrape intervals, and red after five.",
		unit:  units.Seconds,
		queries: []query{{
			expr: `max(` + since(ofSources(`servicegroup_source_last_success_timestamp_seconds`)) + `)`, now: true,
		}},
		draw: number(noData, levels(good, level{p.seconds(2), warning}, level{p.seconds(5), bad})),
	})
	p.add(6, 3, panel{
		title: "Exporters down",
		about: "Exporters that Prometheus can't scrape. If all are down, this page has no data.",
		unit:  units.Short, queries: []query{{expr: countFalse(targets(ofCluster + `, job=~"$job"`)), now: true}}, draw: number(noData, few()),
	})
	p.add(6, 3, panel{
		title: "Alertmanagers down",
		about: "Alertmanagers that no exporter's bridge can reach. Alerts from Prometheus do not depend on the bridge.",
		unit:  units.Short, empty: noBridge,
		queries: []query{{
			expr: countFalse(`max by (` + clusterLabel + `, alertmanager) (servicegroup_notifications_alertmanager_up{` + ofCluster +
				`, job=~"$job"})`),
			now: true,
		}},
		draw: number(noBridge, none()),
	})
	p.add(6, 3, panel{
		title: "Alerts firing",
		about: "Firing alerts of the shipped rules. No data means that Prometheus does not evaluate them.",
		unit:  units.Short, empty: "no data: rules not loaded",
		queries: []query{{
			expr: `count(max by (` + alertLabels + `) (` + alertsFiring + `)) or 0 * count(ALERTS{alertname="ServiceGroupWatchdog", alertstate="firing"})`, now: true,
		}},
		draw: number("no data: rules not loaded", few()),
	})
}

// unreadableSources is the number of sources that no exporter can read. Its name has the number of all: "1 of 3".
func unreadableSources() []query {
	up := ofSources(`servicegroup_source_up`)
	unreadable := countFalse(up)
	return []query{
		{
			expr:   unreadable + ` * on () group_left (n) count_values("n", ` + unreadable + `) * on () group_left (of) count_values("of", count(` + up + `))`,
			legend: "{{n}} of {{of}}", now: true,
		},
		{expr: `NaN * absent(servicegroup_source_up{` + ofSource + `})`, legend: noData, now: true},
	}
}

// ourAlerts matches the alerts about the selected clouds, sources and groups, and those that are not about one.
const (
	ourAlerts = `alertname=~"ServiceGroup.*", alertname!="ServiceGroupWatchdog", ` + clusterLabel +
		`=~"$cluster|", source=~"$source|", group=~"$group|"`
	alertLabels  = `alertname, severity, host, ` + memberLabels
	alertsFiring = `ALERTS{` + ourAlerts + `, alertstate="firing"}`
)

// alertsTable lists the alerts of the rules. It is a table and not Grafana's alert list, which needs a data source with a ruler.
func alertsTable() panel {
	return panel{
		title: "Alerts",
		about: "Alerts of the shipped rules, including pending ones. The names link to runbooks. Alerts that only the bridge sent are " +
			"only in Alertmanager. \"Alerts firing\" shows whether the rules are evaluated.",
		empty: "No alert, or no rules: see \"Alerts firing\"",
		queries: []query{
			{expr: `max by (` + alertLabels + `, alertstate) (ALERTS{` + ourAlerts + `})`, format: tableFormat, now: true},
			{expr: `1000 * max by (` + alertLabels + `) (ALERTS_FOR_STATE{` + ourAlerts + `})`, format: tableFormat, now: true},
		},
		draw: rows(
			column{from: "alertname", title: "Alert", width: wideAlert, links: []link{{"Runbook", toRunbook, true}}},
			column{from: "severity", title: "Severity", width: wideWord},
			column{from: "alertstate", title: "State", width: wideWord},
			clusterColumn(),
			column{from: "source", title: "Source", width: wideName},
			column{from: "group", title: "Group", width: wideName},
			column{from: "member", title: "Member", min: wideMember},
			column{from: "host", title: "Host", width: 130},
			column{from: "Value #B", title: "Since", width: wideSince, unit: units.DateTimeFromNow, order: descending},
			column{from: "Value #A"},
		),
	}
}

// sourcesTable shows whether each source can be read.
func sourcesTable() panel {
	number := func(ofGroups string) query {
		return query{expr: `sum by (` + sourceLabels + `) (` + ofGroups + `)`, format: tableFormat, now: true}
	}
	return panel{
		title: "Sources",
		about: "The sources. While a source can't be read, all its members in service are unknown, and members that were down before are also " +
			"in Down. If even the newest heartbeat is old, heartbeats are not arriving: suspect the heartbeat path, not the members.",
		queries: []query{
			{expr: ofSources(`servicegroup_source_up`), format: tableFormat, now: true},
			{expr: `max by (` + sourceLabels + `, driver, schema, layout) (servicegroup_source_info{` + ofSource + `})`, format: tableFormat, now: true},
			{expr: `1000 * (` + ofSources(`servicegroup_source_last_success_timestamp_seconds`) + ` > 0)`, format: tableFormat, now: true},
			{expr: `1000 * ` + ofSources(`servicegroup_source_newest_heartbeat_timestamp_seconds`), format: tableFormat, now: true},
			number(members("max", "up")), number(decided("min", membersDown)), number(members("min", "unknown")),
			number(outOfService),
		},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source"},
			column{
				from: "Value #A", title: "Can be read", width: 100, order: ascending,
				links: []link{{"Runbook of sources that can't be read", toUnreadableRunbook, true}},
				words: words(noData, word{0, "NO", bad}, word{1, "yes", good}),
			},
			column{from: "driver", title: "Driver"},
			column{from: "schema", title: "Schema"},
			column{from: "layout", title: "Layout"},
			column{from: "Value #C", title: "Last read", width: wideSince, unit: units.DateTimeFromNow},
			column{from: "Value #D", title: "Newest heartbeat", width: wideSince, unit: units.DateTimeFromNow},
			column{from: "Value #E", title: "Up", width: wideCount, unit: units.Short},
			column{from: "Value #F", title: "Down", width: wideCount, unit: units.Short},
			column{from: "Value #G", title: "Unknown", width: wideName, unit: units.Short},
			column{from: "Value #H", title: "Out of service", width: 115, unit: units.Short},
			column{from: "Value #B"},
		),
	}
}

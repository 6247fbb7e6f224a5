package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// ofOne is the label matchers of the selected member. Members of several groups can have its name.
const ofOne = ofGroup + `, member="$member"`

// oneMember shows one member over time.
func (p *page) oneMember() {
	const heartbeat = `servicegroup_member_last_heartbeat_timestamp_seconds{` + ofOne + `}`
	p.add(24, 5, panel{
		title: "State of the member",
		about: "The worst state since the point before. A member that was down stays so while its source can't be read. Purple: no data, " +
			"because the source could not be read or the member did not exist.",
		unit:    units.Short,
		queries: []query{{expr: statesOf(ofOne), legend: "{{source}} {{group}} {{cluster}}"}},
		draw:    timeline(),
	})
	p.add(12, 8, panel{
		title: "Heartbeat age of the member",
		about: "The age of the member's last heartbeat when it was scraped, the interval at which half of its group's members report, and the heartbeat " +
			"timeout. The age includes the difference between the clocks of the backend and Prometheus.",
		unit: seconds, empty: "no data: the backend has no heartbeats",
		queries: []query{
			{
				expr:   `min by (` + memberLabels + `) (timestamp(` + heartbeat + `) - ` + heartbeat + `)`,
				legend: "{{source}} {{group}} {{cluster}}",
			},
			{
				expr: byGroup(`servicegroup_reporting_interval_seconds{`+ofGroup+`, quantile="0.5"}`) + ` and on (` + groupLabels + `) ` +
					byGroup(`service_up{`+ofOne+`}`),
				legend: "interval of {{source}} {{group}} {{cluster}}",
			},
			{
				expr:   ofSources(`servicegroup_source_heartbeat_timeout_seconds`) + ` and on (` + sourceLabels + `) ` + bySource(`service_up{`+ofOne+`}`),
				legend: "heartbeat timeout of {{source}} {{cluster}}",
			},
		},
		draw: withLimits(lines()).Legend(legendBelow()),
	})
	p.add(12, 8, panel{
		title: "Deaths and recoveries of the member", about: "How often the member died and recovered in each interval, also between two scrapes.",
		unit: units.Short, scrapes: barScrapes,
		queries: []query{
			{expr: byMember(deathsOfOne()), legend: "deaths {{source}} {{group}} {{cluster}}"},
			{expr: byMember(transitionsOfOne() + ` - ` + deathsOfOne()), legend: "recoveries {{source}} {{group}} {{cluster}}"},
		},
		draw: transitions(bars()).Legend(legendBelow()),
	})
	p.add(24, 6, p.attributes())
}

// deathsOfOne returns the expression for how often the member died in each step: each second transition, beginning with the first if it
// was up before.
func deathsOfOne() string {
	return `floor((` + transitionsOfOne() + ` + ` + before(`service_up{`+ofOne+`}`, "$__interval") + `) / 2)`
}

func transitionsOfOne() string {
	return grown(`servicegroup_member_transitions_total{`+ofOne+`}`, "$__interval")
}

// attributes is the table of what else is known of a member.
func (p *page) attributes() panel {
	value := func(metric string) query {
		return query{expr: byMember(metric + `{` + ofOne + `}`), format: tableFormat, now: true}
	}
	at := func(metric string) query {
		return query{expr: `1000 * (` + byMember(metric+`{`+ofOne+`}`) + ` > 1)`, format: tableFormat, now: true}
	}
	return panel{
		title: "What is known of the member",
		about: "Enabled by operators; forced down by an operator or a fencing agent, and dead before that; since when it is down or suspected; how far its " +
			"newest heartbeat is ahead of the backend's clock.",
		queries: []query{
			{
				expr:   `max by (` + memberLabels + `, version, disabled_reason) (servicegroup_member_info{` + ofOne + `})`,
				format: tableFormat, now: true,
			},
			value(`servicegroup_member_enabled`), value(`servicegroup_member_forced_down`), value(`servicegroup_member_fenced`),
			at(`servicegroup_member_state_change_timestamp_seconds`), at(`servicegroup_member_suspected_since_timestamp_seconds`),
			value(`servicegroup_member_heartbeat_ahead_seconds`),
		},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source", width: wideName},
			column{from: "group", title: "Group", width: wideName},
			column{from: "version", title: "Version", width: wideName},
			column{from: "Value #B", title: "Enabled", width: wideWord, words: words(noData, word{0, "NO", outside}, word{1, "yes", good})},
			column{from: "disabled_reason", title: "Disabled because"},
			column{from: "Value #C", title: "Forced down", width: 107, words: words(noData, word{0, "no", good}, word{1, "YES", bad})},
			column{from: "Value #D", title: "Dead before", width: 105, words: words(noData, word{0, "no", outside}, word{1, "YES", bad})},
			column{from: "Value #E", title: "State since", width: wideSince, unit: units.DateTimeFromNow},
			column{from: "Value #F", title: "Suspected since", width: wideSince, unit: units.DateTimeFromNow},
			column{from: "Value #G", title: "Heartbeat ahead", width: 132, unit: seconds},
			column{from: "member"},
			column{from: "Value #A"},
		),
	}
}

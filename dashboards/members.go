package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// alsoDown restricts a member metric to members that are down.
func alsoDown(expr string) string { return expr + ` and on (` + memberLabels + `) ` + dead() }

// deadMembers is the table that an on-call engineer reads first. The columns until Since need only the decisions.
func deadMembers() panel {
	return panel{
		title: "Members that are down",
		about: "Members in service that are down, and since when. Members of a source that can't be read stay here if they were down when " +
			"it was last read; deaths since then are unknown. Since: the last proof of life. Host answers: by another way than heartbeats, by " +
			"alerting.host_query. The links of a member lead to its page and to the runbook.",
		empty: "No member is down, or there is no data: see \"Sources unreadable\"",
		queries: []query{
			{expr: alsoDown(`max by (` + memberLabels + `, binary, zone) (` + memberDown + `)`), format: tableFormat, now: true},
			{
				expr:   dead() + ` * 0 + on (` + groupLabels + `) group_left () ` + byGroup(`servicegroup_group_known{`+ofGroup+`}`),
				format: tableFormat, now: true,
			},
			{expr: `1000 * (` + alsoDown(`(`+ofMembers(`servicegroup_member_down_since_timestamp_seconds`)+` > 1 or `+ofMembers(`servicegroup_member_state_change_timestamp_seconds`)+`)`) + `)`, format: tableFormat, now: true},
			{
				expr:   alsoDown(`max by (` + memberLabels + `, cause) (servicegroup_member_down_cause{` + ofGroup + `} == 1)`),
				format: tableFormat, now: true,
			},
			{
				expr:   alsoDown(hostAnswers(memberLabels, `max by (`+memberLabels+`, host) (`+memberDown+`)`)),
				format: tableFormat, now: true,
			},
		},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source", width: wideName},
			column{from: "group", title: "Group", width: wideName, links: []link{{"The group", toGroup, false}}},
			column{from: "member", title: "Member", min: wideMember, links: []link{
				{"The member's page", toMember, true},
				{"The member over time", toGraphs, false},
				{"Runbook: ServiceGroupMemberDown", toDownRunbook, true},
			}},
			column{from: "binary", title: "Binary", width: wideBinary},
			column{from: "zone", title: "Zone", width: wideWord},
			column{from: "Value #B", title: "State", width: wideState, words: words(noData, word{0, "DOWN, last known", unknown}, word{1, "DOWN", bad})},
			column{from: "Value #C", title: "Since", width: wideSince, unit: units.DateTimeFromNow, order: descending},
			column{from: "cause", title: "Cause", width: wideWord},
			hostAnswersColumn("Value #E"),
			column{from: "Value #A"},
			column{from: "Value #D"},
		),
	}
}

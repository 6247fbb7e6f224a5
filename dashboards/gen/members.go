package main

import "github.com/grafana/grafana-foundation-sdk/go/units"

// down is the members that are down, by the exporters' own series, so that it works without the recording rules.
const down = `max by (source, group, member, binary, zone) (service_up{` + ofGroup + `, zone=~"$zone"}) == 0`

// alsoDown restricts a member metric to members that are down.
func alsoDown(expr string) string { return expr + ` and on (source, group, member) (` + down + `)` }

// deadMembers is the table that an on-call engineer reads first.
func deadMembers() panel {
	return panel{
		title: "Members that are down",
		about: "Members that are down, since when, and whether an operator decided it. The links of a member lead to its page and to the " +
			"runbook. Members of a source that can't be read are not listed: their states are unknown.",
		empty: "No member is down, or there is no data: see \"Unreadable sources\"",
		queries: []query{
			{expr: down, format: tableFormat, now: true},
			{expr: alsoDown(byMember(`servicegroup:member_state{` + ofGroup + `}`)), format: tableFormat, now: true},
			{
				expr: `1000 * (` + alsoDown(`min by (source, group, member) (servicegroup_member_state_change_timestamp_seconds{`+
					ofGroup+`, zone=~"$zone"})`) + `)`,
				format: tableFormat, now: true,
			},
			{
				expr:   `1000 * (` + alsoDown(ofMembers(`servicegroup_member_last_heartbeat_timestamp_seconds`)) + `)`,
				format: tableFormat, now: true,
			},
			{
				expr: alsoDown(`max by (source, group, member, disabled_reason) (servicegroup_member_info{` + ofGroup +
					`, zone=~"$zone"})`),
				format: tableFormat, now: true,
			},
		},
		draw: rows(
			column{from: "source", title: "Source"},
			column{from: "group", title: "Group", links: []link{{"The group", toGroup, false}}},
			column{from: "member", title: "Member", links: []link{
				{"The member's page", toMember, true}, {"Runbook: ServiceGroupMemberDown", toDownRunbook, true},
			}},
			column{from: "binary", title: "Binary"},
			column{from: "zone", title: "Zone"},
			column{from: "Value #B", title: "State", words: states()},
			column{from: "Value #C", title: "Since", unit: units.DateTimeFromNow, order: descending},
			column{from: "Value #D", title: "Last heartbeat", unit: units.DatetimeISONotToday},
			column{from: "disabled_reason", title: "Reason for disabling"},
			column{from: "Value #A"},
			column{from: "Value #E"},
		),
	}
}

package dashboards

import (
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// downHosts is the hosts that are down.
func downHosts() string { return ofHosts(`servicegroup_host_up`) + ` == 0` }

// hostAnswers returns the expression for whether the host answers, of series with the value 1 and the labels host and by: the result of
// alerting.host_query, which the rules record. A result without the cluster label is about the hosts of any cluster.
func hostAnswers(by, series string) string {
	joined := func(labels, cluster string) string {
		return series + ` * on (` + labels + `) group_left () (max by (` + labels + `) (servicegroup:host_answers{` + cluster + `}) > bool 0)`
	}
	return `max by (` + by + `) (` + joined(hostLabels, ofCluster) + ` or ` + joined("host", clusterLabel+`=""`) + `)`
}

func hostAnswersColumn(from string) column {
	return column{from: from, title: "Host answers", width: 110, words: words(noCell, word{0, "NO", bad}, word{1, "yes", good})}
}

// deadHosts is the table of hosts. They have members of several sources and groups, so only the cluster selects them.
func deadHosts() panel {
	return panel{
		title: "Hosts that are down",
		about: "Hosts on which no member reports, though at least two services on it are in service. They are suspected until one of these is down " +
			"by its service's own rule. Silent: the members on it that don't report. Host answers: by another way than heartbeats, by " +
			"alerting.host_query.",
		empty: "No host is down, or there is no data: see \"Sources unreadable\"",
		queries: []query{
			{expr: downHosts(), format: tableFormat, now: true},
			{expr: ofHosts(`servicegroup_host_suspected`) + ` and on (` + hostLabels + `) (` + downHosts() + `)`, format: tableFormat, now: true},
			{
				expr: `1000 * (max by (` + hostLabels + `, zone) (servicegroup_host_down_since_timestamp_seconds{` + ofCluster + `}) > 1 and on (` + hostLabels +
					`) (` + downHosts() + `))`,
				format: tableFormat, now: true,
			},
			{
				expr: `count by (` + hostLabels + `) (` + `max by (` + memberLabels + `, host) (servicegroup_host_silent_member_timestamp_seconds{` + ofCluster +
					`}) and on (` + hostLabels + `) (` + downHosts() + `))`,
				format: tableFormat, now: true,
			},
			{expr: hostAnswers(hostLabels, `((`+downHosts()+`) + 1)`), format: tableFormat, now: true},
		},
		draw: rows(
			clusterColumn(),
			column{from: "host", title: "Host", min: 120},
			column{from: "zone", title: "Zone", width: wideWord},
			column{from: "Value #B", title: "State", width: 101, words: words(noData, word{0, "DOWN", bad}, word{1, "SUSPECTED", warning})},
			column{from: "Value #C", title: "Since", width: wideSince, unit: units.DateTimeFromNow, order: descending},
			column{from: "Value #D", title: "Silent", width: wideCount, unit: units.Short},
			hostAnswersColumn("Value #E"),
			column{from: "Value #A"},
		),
	}
}

// zonesTable shows whether what is down has a place in common.
func zonesTable() panel {
	const labels = sourceLabels + `, zone`
	zone := func(metric string) query {
		return query{expr: ofReaders(labels, metric+`{`+ofSource+`, zone=~"$zone"}`), format: tableFormat, now: true}
	}
	return panel{
		title: "Zones",
		about: "The members in service of each zone, and how many of them are down or suspected.",
		empty: "no data: no member has a zone",
		queries: []query{
			zone("servicegroup_zone_hosts"), zone("servicegroup_zone_members_in_service"), zone("servicegroup_zone_members_down"),
		},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source"},
			column{from: "zone", title: "Zone"},
			column{from: "Value #A", title: "Hosts", width: wideCount, unit: units.Short},
			column{from: "Value #B", title: "In service", width: 84, unit: units.Short},
			column{from: "Value #C", title: "Down", width: wideCount, unit: units.Short, order: descending, colors: byCount()},
		),
	}
}

// byCount is the colours of a number of members that are down: one of many is less than several.
func byCount() []level { return []level{{1, notable}, {2, warning}} }

// byShare is the colours of the share of members that are down: the limit of the alert ServiceGroupOutage.
func byShare() []level { return []level{{1, bad}} }

// degraded returns the expression for whether each group is degraded by the limit of the alert ServiceGroupDegraded for this group.
func (o *Options) degraded(down, share string) string {
	limits := make([]string, len(o.DegradedLimits))
	for i, l := range o.DegradedLimits {
		of := strings.Join(append([]string{ofGroup}, l.Matchers...), ", ")
		limits[i] = byGroup(`servicegroup_group_known{` + of + `} * 0 + ` + strconv.FormatFloat(l.Ratio, 'f', -1, 64))
	}
	return `(` + share + ` >= bool on (` + groupLabels + `) (` + strings.Join(limits, ` or `) + `)) * (` + down + ` >= bool 2)`
}

// groupsTable shows how each group is.
func (p *page) groupsTable() panel {
	down, inService := decided("min", membersDown), decided("max", membersInService)
	share := down + ` / (` + inService + ` > 0)`
	number := func(expr string) query { return query{expr: expr, format: tableFormat, now: true} }
	return panel{
		title: "Groups",
		about: "The groups. The share of members in service that are down is red if all are down. A group is degraded if two or more are down, " +
			"and their share is at least the limit of the alert ServiceGroupDegraded for this group. While a group can't be read, the last known " +
			"numbers stay.",
		queries: []query{
			number(byGroup(`servicegroup_group_known{` + ofGroup + `}`)), number(members("max", "up")), number(down), number(share),
			number(p.degraded(down, share)), number(members("min", "unknown")), number(outOfService),
		},
		draw: rows(
			clusterColumn(),
			column{from: "source", title: "Source"},
			column{from: "group", title: "Group", links: []link{{"The group", toGroup, false}}},
			column{from: "Value #A", title: "Can be read", words: words(noData, word{0, "NO", bad}, word{1, "yes", good})},
			column{from: "Value #B", title: "Up", unit: units.Short},
			column{from: "Value #C", title: "Down", unit: units.Short, order: descending, colors: byCount()},
			column{from: "Value #D", title: "Share down", unit: units.PercentUnit, colors: byShare()},
			column{from: "Value #E", title: "Degraded", words: words(noData, word{0, "no", plain}, word{1, "YES", warning})},
			column{from: "Value #F", title: "Unknown", unit: units.Short},
			column{from: "Value #G", title: "Out of service", unit: units.Short},
		),
	}
}

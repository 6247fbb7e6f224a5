package dashboards

// Queries give the same result for any number of exporters that read the same sources, and for copies of their series: they join
// the exporters before they sum. They read what the exporters decided, with the exporters' own series, so that they work
// without the recording rules.

// clusterLabel is the label by which the clouds of one Prometheus differ, which [Options.relabel] replaces. Series without it match too.
const clusterLabel = "cluster"

// The label matchers of queries.
const (
	ofCluster  = clusterLabel + `=~"$cluster"`
	ofSource   = ofCluster + `, source=~"$source"`
	ofGroup    = ofSource + `, group=~"$group"`
	ofMember   = ofGroup + `, zone=~"$zone"`
	ofJob      = `job=~"$job", instance=~"$instance"`
	ofExporter = ofCluster + `, ` + ofJob
	ofJobs     = ofCluster + `, job=~"$job"`
)

// The labels of what queries join and sum.
const (
	sourceLabels   = clusterLabel + `, source`
	groupLabels    = sourceLabels + `, group`
	memberLabels   = groupLabels + `, member`
	hostLabels     = clusterLabel + `, host`
	instanceLabels = clusterLabel + `, instance`
	readerLabels   = clusterLabel + `, job, instance, source`        // what one exporter reports about a source
	viewLabels     = clusterLabel + `, job, instance, source, group` // what one exporter reports about a group
)

// barScrapes is the least number of scrapes in which a bar counts events.
const barScrapes = 4

// byMember, byGroup and bySource aggregate the series of several exporters to one.
func byMember(expr string) string { return `max by (` + memberLabels + `) (` + expr + `)` }
func byGroup(expr string) string  { return `max by (` + groupLabels + `) (` + expr + `)` }
func bySource(expr string) string { return `max by (` + sourceLabels + `) (` + expr + `)` }

// ofMembers returns the expression for a metric of the selected members, with one sample each.
func ofMembers(metric string) string { return byMember(metric + `{` + ofMember + `}`) }

// ofSources returns the expression for a metric of the selected sources, with one sample each.
func ofSources(metric string) string { return bySource(metric + `{` + ofSource + `}`) }

// Restrictions to the exporters that know a group, and to the one that knew it last.
const (
	known     = `servicegroup_group_known{` + ofGroup + `} == 1`
	lastKnown = `servicegroup_group_last_known_timestamp_seconds{` + ofGroup + `}`
	whoKnows  = ` and on (` + viewLabels + `) ` + known
	noneKnows = ` unless on (` + groupLabels + `) ` + known
	whoKnew   = ` and on (` + viewLabels + `) (` + lastKnown + ` == on (` + groupLabels + `) group_left () max by (` + groupLabels + `) (` +
		lastKnown + `))`
)

// decided returns the expression for a number of each group: that of the exporters that know the group, joined by an aggregation,
// or that of the exporter that knew it last. The recording rules do the same.
func decided(aggregation, selector string) string {
	return `(` + decidedNow(aggregation, selector) + ` or ` + byGroup(selector+whoKnew) + noneKnows + `)`
}

// decidedNow returns the same without groups that no exporter knows.
func decidedNow(aggregation, selector string) string {
	return aggregation + ` by (` + groupLabels + `) (` + selector + whoKnows + `)`
}

// The decisions about the selected groups.
const (
	membersDown      = `servicegroup_members_down{` + ofGroup + `}`
	membersInService = `servicegroup_members_in_service{` + ofGroup + `}`
	memberDown       = `servicegroup_member_down{` + ofMember + `} == 1`
)

// dead returns the expression for the members in service that are down, or that were when their source could last be read. All exporters
// that know a group have to agree.
func dead() string {
	return `(count by (` + memberLabels + `) (` + memberDown + whoKnows + `) == on (` + groupLabels + `) group_left () count by (` +
		groupLabels + `) (` + known + `) or max by (` + memberLabels + `) (` + memberDown + whoKnew + `)` + noneKnows + `)`
}

// suspected is the members in service that an exporter suspects which knows their group.
const suspected = `max by (` + memberLabels + `) (servicegroup_member_suspected{` + ofMember + `} == 1` + whoKnows + `)`

// orZero returns the expression for a count. It is 0 only if an exporter knows one of the selected groups.
func orZero(count string) string { return count + ` or 0 * count(` + known + `)` }

// members returns the expression for the number of members of each group in a state. An exporter that can't read a group counts
// its members as unknown.
func members(aggregation, state string) string {
	return aggregation + ` by (` + groupLabels + `) (servicegroup_members{` + ofGroup + `, state="` + state + `"})`
}

// outOfService is the number of members of each group that are out of service, as far as the exporters know.
const outOfService = `max by (` + groupLabels + `) (servicegroup_members{` + ofGroup + `, state="out_of_service"})`

// countFalse returns the expression for the number of series that are 0. Without series it has no result, not 0.
func countFalse(expr string) string { return `sum(` + expr + ` == bool 0)` }

// since returns the expression for the time since a timestamp. A timestamp of 0 means never and has no result. The result is
// never negative, although a scrape may return a timestamp after its own.
func since(expr string) string { return `clamp_min(time() - (` + expr + ` > 0), 0)` }

// grown returns the expression for what a counter has grown by in a window. The windows of a graph touch and don't overlap, so that each
// event is in one of them: increase() extrapolates, and loses what happened between the last scrape of a window and the first of the
// next. A counter that is lower than before has started again at 0.
func grown(counter, window string) string {
	return difference(counter, before(counter, window))
}

// before returns the expression for the value of a series a window ago.
func before(series, window string) string {
	return `last_over_time(` + series + `[1h] offset ` + window + `)`
}

func difference(now, before string) string {
	return `(` + now + ` - ` + before + ` >= 0 or ` + now + ` < ` + before + `)`
}

// changed returns the expression for the times at which a timestamp is another than it was a window before.
func changed(timestamp, window string) string {
	return timestamp + ` > last_over_time(` + timestamp + `[1h] offset ` + window + `)`
}

// lowest and highest return the expressions for the extreme of a gauge since the step before, so that no step hides what was between them.
func lowest(metric string) string  { return `min_over_time(` + metric + `[$__interval])` }
func highest(metric string) string { return `max_over_time(` + metric + `[$__interval])` }

// ofReaders returns the expression for a metric about sources: that of the exporters that can read the source, or else what any says.
func ofReaders(labels, metric string) string {
	join := `max by (` + labels + `) (` + metric
	return `(` + join + ` and on (` + readerLabels + `) servicegroup_source_up{` + ofSource + `} == 1) or ` + join + `))`
}

// ofHosts returns the expression for a metric of hosts: that of the exporters that can read all their sources, or else what any says.
func ofHosts(metric string) string {
	join := `max by (` + hostLabels + `) (` + metric + `{` + ofCluster + `}`
	return `(` + join + ` unless on (` + clusterLabel + `, job, instance) servicegroup_source_up{` + ofSource + `} == 0) or ` + join + `))`
}

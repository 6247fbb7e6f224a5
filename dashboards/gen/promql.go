package main

// Queries give the same result for any number of exporters that read the same sources: they take the maximum over exporters
// before they sum. The alerts use the maximum too: a member is up if any exporter that can read its source reports it up.

// The label matchers of queries.
const (
	ofSource = `source=~"$source"`
	ofGroup  = ofSource + `, group=~"$group"`
	ofJob    = `job=~"$job", instance=~"$instance"`
)

// inZone restricts a member metric to the selected zones. It is needed for the recording rules, which have no label zone.
const inZone = ` and on (source, group, member) service_up{` + ofGroup + `, zone=~"$zone"}`

// The recording rules, restricted to the selected members.
const (
	ups       = `(servicegroup:service_up:max{` + ofGroup + `}` + inZone + `)`
	inService = `(servicegroup:service_up:in_service{` + ofGroup + `}` + inZone + `)`
	stateNow  = `(servicegroup:member_state{` + ofGroup + `}` + inZone + `)`
)

// byMember, byGroup and bySource aggregate the series of several exporters to one.
func byMember(expr string) string { return `max by (source, group, member) (` + expr + `)` }
func byGroup(expr string) string  { return `max by (source, group) (` + expr + `)` }
func bySource(expr string) string { return `max by (source) (` + expr + `)` }

// ofMembers returns the expression for a metric of the selected members, with one sample each.
func ofMembers(metric string) string {
	return byMember(metric + `{` + ofGroup + `, zone=~"$zone"}`)
}

// ofSources returns the expression for a metric of the selected sources, with one sample each.
func ofSources(metric string) string { return bySource(metric + `{` + ofSource + `}`) }

// buckets returns the expression for a histogram's increase in a window, for all selected groups together. Each exporter has
// observed the same events.
func buckets(histogram, window string) string {
	return `sum by (le) (max by (source, group, le) (increase(` + histogram + `_bucket{` + ofGroup + `}[` + window + `])))`
}

// events returns the expression for the number of a histogram's observations in a window.
func events(histogram, window string) string {
	return byGroup(`increase(` + histogram + `_count{` + ofGroup + `}[` + window + `])`)
}

// quantile returns the expression for a quantile of a histogram in a window.
func quantile(q, histogram, window string) string {
	return `histogram_quantile(` + q + `, ` + buckets(histogram, window) + `)`
}

// countFalse returns the expression for the number of series that are 0. Without series it has no result, not 0.
func countFalse(expr string) string { return `sum(` + expr + ` == bool 0)` }

// since returns the expression for the time since a timestamp. A timestamp of 0 means never and has no result. The result is
// never negative, although a scrape may return a timestamp after its own.
func since(expr string) string { return `clamp_min(time() - (` + expr + ` > 0), 0)` }

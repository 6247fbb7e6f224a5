package main

// Queries are right with any number of exporters that watch the same sources: of what two of them say about one thing,
// max is taken, and only then is anything summed. Max is also what the alerts take: a member is up if any exporter that
// can read its source says so.

// What every query selects by.
const (
	ofSource = `source=~"$source"`
	ofGroup  = ofSource + `, group=~"$group"`
	ofJob    = `job=~"$job", instance=~"$instance"`
)

// inZone keeps what is about members of the picked zones: of a member's series, only the exporter's own have the zone.
const inZone = ` and on (source, group, member) service_up{` + ofGroup + `, zone=~"$zone"}`

// The recording rules, of the picked members.
const (
	ups       = `(servicegroup:service_up:max{` + ofGroup + `}` + inZone + `)`
	inService = `(servicegroup:service_up:in_service{` + ofGroup + `}` + inZone + `)`
	stateNow  = `(servicegroup:member_state{` + ofGroup + `}` + inZone + `)`
)

// byMember, byGroup and bySource take what exporters say of one thing as one.
func byMember(expr string) string { return `max by (source, group, member) (` + expr + `)` }
func byGroup(expr string) string  { return `max by (source, group) (` + expr + `)` }
func bySource(expr string) string { return `max by (source) (` + expr + `)` }

// ofMembers is a metric of the picked members, one sample each.
func ofMembers(metric string) string {
	return byMember(metric + `{` + ofGroup + `, zone=~"$zone"}`)
}

// ofSources is a metric of the picked sources, one sample each.
func ofSources(metric string) string { return bySource(metric + `{` + ofSource + `}`) }

// buckets is a histogram's increase over a window, of all picked groups together. Each exporter has observed the same
// events.
func buckets(histogram, window string) string {
	return `sum by (le) (max by (source, group, le) (increase(` + histogram + `_bucket{` + ofGroup + `}[` + window + `])))`
}

// events counts a histogram's observations in a window.
func events(histogram, window string) string {
	return byGroup(`increase(` + histogram + `_count{` + ofGroup + `}[` + window + `])`)
}

// quantile is one of a histogram's.
func quantile(q, histogram, window string) string {
	return `histogram_quantile(` + q + `, ` + buckets(histogram, window) + `)`
}

// countFalse is how many of the series are 0. Without any there is no answer, rather than 0.
func countFalse(expr string) string { return `sum(` + expr + ` == bool 0)` }

// since is how long ago something was, that ever was: 0 stands for never. A scrape may report what happened after it began.
func since(expr string) string { return `clamp_min(time() - (` + expr + ` > 0), 0)` }

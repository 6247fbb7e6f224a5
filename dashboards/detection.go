package dashboards

import (
	"slices"
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// recently is the window of the alert ServiceGroupDetectionSlow. Deaths are rare: a shorter window would mostly be empty.
const recently = "1h"

// alertMargin returns the time in seconds that this alert adds to the heartbeat timeout.
func (o *Options) alertMargin() string { return strconv.FormatFloat(o.seconds(1)+30, 'f', -1, 64) }

// seconds is the unit of detection. The heartbeat timeout and its alerts are set in seconds, and "1.12 mins" is hard to compare.
const seconds = "suffix: s"

// shortOutage matches a bucket of outages, in seconds. Prometheus 3 writes it with a decimal point.
const shortOutage = `le=~"120(\\.0)?"`

const noCanary = "no data: canary off"

// detection shows how long it took to detect deaths, and how many of them may have been false.
func detection(o *Options) *page {
	p := newPage(o, detectionUID, "detection",
		"How long it takes to detect a death, compared with the target, and how many deaths may have been false.")
	p.datasource()
	p.clusters()
	p.sources()
	p.groups()
	p.jobs()
	p.annotate(ofSource, ofGroup, ofJobs)
	p.annotateAlerts()

	p.row("In the selected time range")
	p.detectionTiles()
	p.row("Detection latency: from the last proof of life until the member was seen down")
	p.latencies()
	p.row("Outages: from the last proof of life until the member was seen up again")
	p.outages()
	p.row("Suspicions: heartbeats that are overdue before the service's own rule says that the member is down")
	p.suspicions()
	return p
}

func (p *page) detectionTiles() {
	tile := func(title, about, unit, missing string, exprs ...string) {
		spec := panel{title: title, about: about, unit: unit, empty: missing, draw: number(missing, levels(neutral))}
		for _, expr := range exprs {
			spec.queries = append(spec.queries, query{expr: expr, now: true})
		}
		p.add(4, 4, spec)
	}
	tile("Deaths detected", "Number of deaths that the exporter saw.", units.Short, noData, latency().count("$__range")...)
	tile("Detection median", "The time within which half of the deaths were detected.", seconds, noDeaths,
		latency().quantile("0.5", "$__range"))
	tile("Detection 99 %", "The time within which 99 % of the deaths were detected.", seconds, noDeaths,
		latency().quantile("0.99", "$__range"))
	tile("Canary 99 %", "The time within which 99 % of the canary's deaths were detected. It is exact, because the canary knows when it died.",
		seconds, noCanary, canary().quantile("0.99", "$__range"))
	tile("Mean outage", "How long members that recovered were down on average.", seconds, "no data: no recoveries",
		outages().mean("$__range")...)
	tile("Possible false deaths", "Members that were seen down and recovered within two minutes of their last proof of life. They may "+
		"not have died, or may have been restarted; in both cases an operator could not have done anything.",
		units.Short, noData, outages().short("$__range")...)
}

const noDeaths = "no data: no deaths"

func (p *page) latencies() {
	p.add(12, 9, panel{
		title: "Detection latency",
		about: "Deaths by the time that it took to detect them. For databases this is the heartbeat timeout plus the time until the next " +
			"poll.",
		unit: seconds, empty: noDeaths, scrapes: barScrapes,
		queries: []query{{expr: latency().buckets(), legend: "{{le}}", format: heatmapFormat}},
		draw:    heat{seconds},
	})
	p.add(12, 9, panel{
		title: "Detection latency against the target",
		about: "Latencies of the deaths and of the canary in the last hour. The target, grey, is the heartbeat timeout; the alert " +
			"ServiceGroupDetectionSlow, red, adds one scrape interval and 30 seconds.",
		unit: seconds, empty: noDeaths,
		queries: []query{
			{expr: latency().quantile("0.5", recently), legend: "median"},
			{expr: latency().quantile("0.99", recently), legend: "99 %"},
			{expr: canary().quantile("0.5", recently), legend: "canary median"},
			{expr: canary().quantile("0.99", recently), legend: "canary 99 %"},
			{expr: ofSources(`servicegroup_source_heartbeat_timeout_seconds`), legend: "heartbeat timeout of {{source}} {{cluster}}"},
			{expr: ofSources(`servicegroup_source_heartbeat_timeout_seconds`) + ` + ` + p.alertMargin(), legend: "alert of {{source}} {{cluster}}"},
		},
		draw: withLimits(lines()),
	})
	p.canaries()
}

func (p *page) canaries() {
	p.row("Canaries: members that die on purpose")
	p.add(12, 7, panel{
		title: "Latency of the canary",
		about: "The canary joins each source, dies on purpose and measures when the exporter sees it down. Its latency is exact, also for " +
			"ZooKeeper, where the time of other members' last proof of life is an estimate.",
		unit: seconds, empty: noCanary,
		queries: []query{
			{expr: canary().quantiles("0.5", recently), legend: "{{source}} {{cluster}} median"},
			{expr: canary().quantiles("0.99", recently), legend: "{{source}} {{cluster}} 99 %"},
			{expr: returns().quantiles("0.99", recently), legend: "{{source}} {{cluster}} 99 %, of its return"},
		},
	})
	p.add(6, 7, panel{
		title: "Rounds of the canary",
		about: "Rounds in which a canary dies and returns, and rounds that failed.",
		unit:  units.Short, empty: noCanary, scrapes: barScrapes,
		queries: []query{
			{expr: `sum by (` + clusterLabel + `) (` + ofCanaries("rounds_total", sourceLabels) + `)`, legend: "rounds {{cluster}}"},
			{expr: `sum by (` + clusterLabel + `, reason) (` + ofCanaries("failures_total", sourceLabels+`, reason`) + `) > 0`, legend: "{{reason}} {{cluster}}"},
		},
		draw: counts().Legend(legendBelow()),
	})
	p.add(6, 7, panel{
		title: "Last success of the canary",
		about: "How long ago the last round of each source's canary succeeded.",
		unit:  units.Seconds, empty: noCanary,
		queries: []query{{expr: since(ofSources(`servicegroup_canary_last_success_timestamp_seconds`)), legend: "{{source}} {{cluster}}"}},
		draw:    lines().Legend(legendBelow()),
	})
}

// ofCanaries returns the expression for what a counter of the canaries has grown by in each step.
func ofCanaries(name, labels string) string {
	return `max by (` + labels + `) (` + grown(`servicegroup_canary_`+name+`{`+ofSource+`}`, "$__interval") + `)`
}

func (p *page) outages() {
	p.add(12, 9, panel{
		title: "Outage durations", about: "Members that recovered, by how long they were down.",
		unit: units.Seconds, empty: "no data: no recoveries", scrapes: barScrapes,
		queries: []query{{expr: outages().buckets(), legend: "{{le}}", format: heatmapFormat}},
		draw:    heat{units.Seconds},
	})
	p.add(12, 9, panel{
		title: "Deaths and possible false deaths",
		about: "Deaths in each hour, and how many of these members recovered within two minutes of their last proof of life. Many such " +
			"recoveries mean that the heartbeat timeout is too short, or that heartbeats arrive late.",
		unit:    units.Short,
		queries: slices.Concat(bothKinds("deaths per hour", latency().count(recently)), bothKinds("possible false deaths per hour", outages().short(recently))),
		draw:    transitions(lines()),
	})
}

const noSuspicions = "no data: no suspicions"

func (p *page) suspicions() {
	p.add(12, 9, panel{
		title: "Suspicion latency",
		about: "The time from the last proof of life until the member was suspected, in the last hour, and the heartbeat timeout, after which the " +
			"service's own rule says that it is down.",
		unit: seconds, empty: noSuspicions,
		queries: []query{
			{expr: suspicion().quantile("0.5", recently), legend: "median"},
			{expr: suspicion().quantile("0.99", recently), legend: "99 %"},
			{expr: ofSources(`servicegroup_source_heartbeat_timeout_seconds`), legend: "heartbeat timeout of {{source}} {{cluster}}"},
		},
		draw: withLimits(lines()).Legend(legendBelow()),
	})
	p.add(12, 9, panel{
		title: "Suspicions by outcome",
		about: "Suspicions that ended. Confirmed: the member was down by the service's own rule. Refuted: it reported, so that the " +
			"suspicion was a mistake. Left: it was removed. If many are refuted, raise the source's suspicion.margin.",
		unit: units.Short, empty: "no data: no member has regular heartbeats", scrapes: barScrapes,
		queries: []query{{
			expr: `sum by (` + clusterLabel + `, outcome) (max by (` + groupLabels + `, outcome) (` +
				grown(`servicegroup_suspicions_total{`+ofGroup+`}`, "$__interval") + `))`,
			legend: "{{outcome}} {{cluster}}",
		}},
		draw: bars().Legend(legendBelow()),
	})
	p.add(24, 8, panel{
		title: "Reporting intervals of groups",
		about: "How often members report, as the exporter has learned it from their heartbeats: the median interval of each group. A member is " +
			"suspected after one and a half of its own intervals and the source's suspicion.margin.",
		unit: seconds, empty: "no data: no member has regular heartbeats",
		queries: []query{{
			expr:   `max by (` + groupLabels + `) (servicegroup_reporting_interval_seconds{` + ofGroup + `, quantile="0.5"})`,
			legend: "{{source}} {{group}} {{cluster}}",
		}},
	})
}

// bothKinds returns the queries of a count, for classic and for native histograms.
func bothKinds(legend string, exprs []string) []query {
	return []query{{expr: exprs[0], legend: legend}, {expr: exprs[1], legend: legend + ", native histogram"}}
}

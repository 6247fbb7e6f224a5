package main

import "github.com/grafana/grafana-foundation-sdk/go/units"

// The histograms of the collector, and of the canary beside it.
const (
	latency       = "servicegroup_detection_latency_seconds"
	canaryLatency = "servicegroup_canary_detection_latency_seconds"
	outages       = "servicegroup_outage_duration_seconds"
)

// recently is the window of the alert ServiceGroupDetectionSlow. Deaths are rare: shorter ones would mostly be empty.
const recently = "1h"

// alertMargin is what that alert adds to the down time: the default scrape interval and half a minute, in seconds.
const alertMargin = "90"

// shortOutage is a bucket of the outages, in seconds. Prometheus 3 writes it with a decimal point.
const shortOutage = `le=~"120(\\.0)?"`

const noCanary = "no data: canary off"

// detection shows how long it took to notice deaths, and how often that was a mistake.
func detection() *page {
	p := newPage(detectionUID, "Service groups: detection",
		"How long it takes until a death is noticed, against what it should take, and how often it was a mistake.")
	p.datasource()
	p.sources()
	p.groups()
	p.annotate()

	p.row("In the time shown")
	p.detectionTiles()
	p.row("Detection latency: from the last proof of life to seen down")
	p.latencies()
	p.row("Outages: from the last proof of life to seen up again")
	p.outages()
	return p
}

func (p *page) detectionTiles() {
	tile := func(title, about, unit, expr, missing string) {
		p.add(4, 4, panel{
			title: title, about: about, unit: unit, empty: missing,
			queries: []query{{expr: expr, now: true}}, draw: number(missing, levels(neutral)),
		})
	}
	tile("Deaths noticed", "Members that died, and were seen to.", units.Short, `round(sum(`+events(latency, "$__range")+`))`, noData)
	tile("Median", "Half of the deaths were noticed within this time.", units.Seconds, quantile("0.5", latency, "$__range"), noDeaths)
	tile("99 %", "Nearly all deaths were noticed within this time.", units.Seconds, quantile("0.99", latency, "$__range"), noDeaths)
	tile("Canary 99 %", "The same of deaths that the canary caused itself: the whole truth, as it knows when it died.",
		units.Seconds, canary("0.99", "$__range"), noCanary)
	tile("Median outage", "Half of the members that returned had been away for less.", units.Seconds,
		quantile("0.5", outages, "$__range"), "no data: nobody returned")
	tile("Suspected mistakes", "Members that were called dead and returned within two minutes of their last proof of life. A member "+
		"that was restarted may be among them; what is certain is that nobody could do anything about it in that time.",
		units.Short, `round(sum(`+mistakes("$__range")+`))`, noData)
}

const noDeaths = "no data: nobody died"

// canary is a quantile of the canary's own latency. The canary is a member of each source, not of the picked groups.
func canary(q, window string) string {
	return `histogram_quantile(` + q + `, sum by (le) (max by (source, le) (increase(` + canaryLatency + `_bucket{` + ofSource + `}[` +
		window + `]))))`
}

// ownCanary is a quantile of each source's canary in the last hour.
func ownCanary(q string) string {
	return `histogram_quantile(` + q + `, max by (source, le) (increase(` + canaryLatency + `_bucket{` + ofSource + `}[` + recently + `])))`
}

// mistakes counts outages that were so short that the member may never have been dead.
func mistakes(window string) string {
	return byGroup(`increase(` + outages + `_bucket{` + ofGroup + `, ` + shortOutage + `}[` + window + `])`)
}

func (p *page) latencies() {
	p.add(12, 9, panel{
		title: "Detection latency",
		about: "Deaths by how long it took to notice them. For databases this is the down time and the wait for the next poll. One death " +
			"may show in several cells beside each other, as in all counts over a window of a few scrapes.",
		unit: units.Seconds, empty: noDeaths,
		queries: []query{{expr: buckets(latency, "$__rate_interval"), legend: "{{le}}", format: heatmapFormat}},
		draw:    heat{units.Seconds},
	})
	p.add(12, 9, panel{
		title: "Detection latency against the target",
		about: "Of the deaths of the last hour, and the canary's beside it. The target is how long a member may be silent; the alert " +
			"ServiceGroupDetectionSlow adds a scrape and half a minute.",
		unit: units.Seconds, empty: noDeaths,
		queries: []query{
			{expr: quantile("0.5", latency, recently), legend: "median"},
			{expr: quantile("0.99", latency, recently), legend: "99 %"},
			{expr: canary("0.5", recently), legend: "canary median"},
			{expr: canary("0.99", recently), legend: "canary 99 %"},
			{expr: ofSources(`servicegroup_source_down_time_seconds`), legend: "target: down time of {{source}}"},
			{expr: ofSources(`servicegroup_source_down_time_seconds`) + ` + ` + alertMargin, legend: "target: alert of {{source}}"},
		},
		draw: target(lines(), "/^target/"),
	})
	p.add(24, 7, panel{
		title: "Canary",
		about: "The canary joins each source, dies on purpose and measures when that is seen: the latency without the error that the " +
			"last proof of life has in ZooKeeper.",
		unit: units.Seconds, empty: noCanary,
		queries: []query{
			{expr: ownCanary("0.5"), legend: "{{source}} median"}, {expr: ownCanary("0.99"), legend: "{{source}} 99 %"},
		},
	})
}

func (p *page) outages() {
	p.add(12, 9, panel{
		title: "Outage durations", about: "Members that returned, by how long they had been away.",
		unit: units.Seconds, empty: "no data: nobody returned",
		queries: []query{{expr: buckets(outages, "$__rate_interval"), legend: "{{le}}", format: heatmapFormat}},
		draw:    heat{units.Seconds},
	})
	p.add(12, 9, panel{
		title: "Deaths and suspected mistakes",
		about: "Deaths in each hour, and how many of those members returned within two minutes of their last proof of life. Many mistakes " +
			"say that the down time is too short for the backend, or that the way of the heartbeats is unsteady.",
		unit: units.Short,
		queries: []query{
			{expr: `sum(` + events(latency, recently) + `)`, legend: "deaths in an hour"},
			{expr: `sum(` + mistakes(recently) + `)`, legend: "suspected mistakes in an hour"},
		},
	})
}

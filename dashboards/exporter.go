package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// exporter shows whether the exporters and their bridges work. On this dashboard each exporter has series of its own.
func exporter(o *Options) *page {
	p := newPage(o, exporterUID, "exporter and bridge",
		"Whether the exporters can read their sources, and their bridges can reach every Alertmanager.")
	p.datasource()
	p.clusters()
	p.jobs()
	p.instances()
	p.sources()
	p.pick("alertmanager", "Alertmanager", `label_values(servicegroup_notifications_alertmanager_up{`+ofCluster+`, job=~"$job"}, alertmanager)`)

	p.annotate(ofReader, ofReader, ofExporter)

	p.row("Exporters")
	p.exporters()
	p.row("Sources")
	p.polls()
	p.connections()
	p.row("Bridge to Alertmanager")
	p.bridge()
	return p
}

// bySourceAndExporter is the legend of a graph with one series for each exporter and source.
const bySourceAndExporter = "{{instance}} {{source}} {{cluster}}"

// perSource returns the expression for a source's metric of each exporter.
func perSource(metric string) string { return byReader(metric + `{` + ofReader + `}`) }

// ofReader is the label matchers of a source's metrics of each exporter.
const ofReader = ofJob + `, ` + ofSource

func byReader(expr string) string { return `max by (` + instanceLabels + `, source) (` + expr + `)` }

// targets returns the expression for the targets of scrapes, with one sample each.
func targets(matchers string) string {
	return `max by (` + clusterLabel + `, job, instance) (up{` + matchers + `})`
}

// events returns the expression for the events in each step, if there are any: most counters never grow, and their names would fill the
// legend.
func events(labels, counter string) string {
	return `max by (` + labels + `) (` + grown(counter, "$__interval") + `) > 0`
}

// perReason returns the expression for the events of a source in each step, by reason.
func perReason(metric string) string {
	return events(instanceLabels+`, source, reason`, metric+`{`+ofReader+`}`)
}

// perMinute returns the expression for the rate of a source's counter.
func perMinute(metric string) string {
	return `60 * ` + byReader(`rate(`+metric+`{`+ofReader+`}[$__rate_interval])`)
}

func (p *page) exporters() {
	p.add(4, 6, panel{
		title: "Exporters", about: "Exporters that Prometheus can scrape.",
		unit: units.Short, queries: []query{{expr: `sum(` + targets(ofExporter) + `)`, now: true}},
		draw: number(noData, levels(bad, level{1, good})),
	})
	p.add(4, 6, panel{
		title: "Exporters down", about: "Exporters that Prometheus can't scrape.",
		unit: units.Short, queries: []query{{expr: countFalse(targets(ofExporter)), now: true}}, draw: number(noData, few()),
	})
	p.add(4, 6, panel{
		title: "Failed reloads",
		about: "Exporters whose last configuration reload failed. They continue with the configuration before it.",
		unit:  units.Short,
		queries: []query{{
			expr: countFalse(`max by (` + clusterLabel + `, job, instance) (servicegroup_config_last_reload_successful{` + ofExporter + `})`), now: true,
		}},
		draw: number(noData, few()),
	})
	p.add(12, 6, panel{
		title: "Versions", about: "The version of each exporter, and since when its configuration is in use.",
		empty: noData,
		queries: []query{
			{
				expr:   `max by (` + instanceLabels + `, version, revision, goversion) (servicegroup_exporter_build_info{` + ofExporter + `})`,
				format: tableFormat, now: true,
			},
			{
				expr:   `1000 * max by (` + instanceLabels + `) (servicegroup_config_last_reload_success_timestamp_seconds{` + ofExporter + `})`,
				format: tableFormat, now: true,
			},
		},
		draw: rows(
			clusterColumn(),
			column{from: "instance", title: "Instance", order: ascending},
			column{from: "version", title: "Version", width: 100},
			column{from: "revision", title: "Revision", width: wideName},
			column{from: "goversion", title: "Go", width: wideName},
			column{from: "Value #B", title: "Configuration loaded", width: 165, unit: units.DateTimeFromNow},
			column{from: "Value #A"},
		),
	})
	p.add(8, 7, panel{
		title: "Scrape duration", about: "How long a scrape takes, including the polls of all sources.",
		unit: units.Seconds,
		queries: []query{{
			expr: `max by (` + instanceLabels + `) (scrape_duration_seconds{` + ofExporter + `})`, legend: "{{instance}} {{cluster}}",
		}},
	})
	p.add(8, 7, panel{
		title: "CPU", about: "CPU time that the exporter uses: 100 % is one core.",
		unit: units.PercentUnit,
		queries: []query{{
			expr: `max by (` + instanceLabels + `) (rate(process_cpu_seconds_total{` + ofExporter + `}[$__rate_interval]))`, legend: "{{instance}} {{cluster}}",
		}},
	})
	p.add(8, 7, panel{
		title: "Memory", about: "Resident memory of the exporter.",
		unit: units.BytesIEC,
		queries: []query{{
			expr: `max by (` + instanceLabels + `) (process_resident_memory_bytes{` + ofExporter + `})`, legend: "{{instance}} {{cluster}}",
		}},
	})
}

func (p *page) polls() {
	p.graph(panel{
		title: "Source can be read", about: "Whether the last poll of the source succeeded: 1, or 0 if this exporter can't read the source.",
		unit: units.Short, queries: []query{{expr: byReader(lowest(`servicegroup_source_up{` + ofReader + `}`)), legend: bySourceAndExporter}},
		draw: counts().Max(1),
	})
	p.graph(panel{
		title: "Failed polls", about: "Polls that failed in each interval, by reason. While polls fail, the states of the source's members are unknown.",
		unit: units.Short, scrapes: barScrapes,
		queries: []query{{expr: perReason("servicegroup_source_poll_errors_total"), legend: bySourceAndExporter + " {{reason}}"}},
		empty:   "No poll failed, or there is no data: see \"Source can be read\"",
		draw:    bars(),
	})
	p.graph(panel{
		title: "Poll duration", about: "How long the last poll of each source took.",
		unit:    units.Seconds,
		queries: []query{{expr: perSource("servicegroup_source_poll_duration_seconds"), legend: bySourceAndExporter}},
	})
	p.graph(panel{
		title: "Time since the last read", about: "How long ago each source was last read. It grows while the source can't be read.",
		unit: units.Seconds,
		queries: []query{{
			expr:   since(perSource("servicegroup_source_last_success_timestamp_seconds")),
			legend: bySourceAndExporter,
		}},
	})
	p.graph(panel{
		title: "Requests per minute", about: "Queries or round trips of the polls of each source.",
		unit:    units.Short,
		queries: []query{{expr: perMinute("servicegroup_source_requests_total"), legend: bySourceAndExporter}},
	})
	p.graph(panel{
		title: "Unknown members", about: "Members whose state this exporter does not know although it can read the source.",
		unit:    units.Short,
		queries: []query{{expr: byReader(highest(`servicegroup_source_unknown_members{` + ofReader + `}`)), legend: bySourceAndExporter}},
		draw:    counts(),
	})
	p.graph(panel{
		title: "Heartbeats stalled",
		about: "Whether even the newest heartbeat is old: 1, or 0. Then suspect the path of the heartbeats, not the members. Only sources with " +
			"heartbeats are here.",
		unit: units.Short, empty: "no data: no source has heartbeats",
		queries: []query{{expr: byReader(highest(`servicegroup_source_heartbeats_stalled{` + ofReader + `}`)), legend: bySourceAndExporter}},
		draw:    counts(),
	})
	p.graph(panel{
		title: "Source problems",
		about: "What is probably not as it was meant: something that is configured is absent, fits nothing, can't be read, or belongs to another " +
			"service. The alert ServiceGroupSourceProblem fires after 5 minutes.",
		unit: units.Short, empty: "No problem, or there is no data: see \"Source can be read\"",
		queries: []query{{
			expr:   `max by (` + instanceLabels + `, source, problem) (` + highest(`servicegroup_source_problems{`+ofReader+`}`) + `) > 0`,
			legend: bySourceAndExporter + " {{problem}}",
		}},
		draw: counts(),
	})
}

func (p *page) connections() {
	p.graph(panel{
		title: "Clock offset",
		about: "The source's clock minus the exporter's clock. Verdicts are by the source's clock. The alert ServiceGroupSourceClockSkew " +
			"fires above 5 seconds.",
		unit:    units.Seconds,
		queries: []query{{expr: perSource("servicegroup_source_clock_offset_seconds"), legend: bySourceAndExporter}},
		draw:    clocks(),
	})
	p.graph(panel{
		title: "Connections and sessions", about: "New connections to each source, and sessions that expired, in each interval.",
		unit: units.Short, scrapes: barScrapes, empty: "No new connection, or there is no data: see \"Source can be read\"",
		queries: []query{
			{expr: perReader("servicegroup_source_reconnects_total"), legend: bySourceAndExporter + " connected again"},
			{expr: perReader("servicegroup_source_session_expirations_total"), legend: bySourceAndExporter + " session expired"},
		},
		draw: bars(),
	})
	p.add(24, 7, panel{
		title: "Errors",
		about: "Errors in each interval: entries of sources that can't be used, failures to save or load the state, and events that were dropped " +
			"because a reader was too slow.",
		unit: units.Short, scrapes: barScrapes, empty: "No error, or there is no data: see \"Source can be read\"",
		queries: []query{
			{expr: perReason("servicegroup_source_rejected_members_total"), legend: bySourceAndExporter + " rejected: {{reason}}"},
			{expr: perReader("servicegroup_state_save_failures_total"), legend: bySourceAndExporter + " state not saved"},
			{expr: perReader("servicegroup_state_load_failures_total"), legend: bySourceAndExporter + " state not loaded"},
			{expr: events(instanceLabels, `servicegroup_events_dropped_total{`+ofExporter+`}`), legend: "{{instance}} {{cluster}} events dropped"},
		},
		draw: bars(),
	})
}

// perReader returns the expression for the events of a source in each step.
func perReader(metric string) string {
	return events(instanceLabels+`, source`, metric+`{`+ofReader+`}`)
}

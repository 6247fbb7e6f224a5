package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// noBridge is the text of panels without data because no exporter sends alerts.
const noBridge = "no data: bridge off"

// ofAlertmanager is the label matchers of the bridge's metrics.
const ofAlertmanager = ofExporter + `, alertmanager=~"$alertmanager"`

func perAlertmanager(metric string) string {
	return `max by (` + instanceLabels + `, alertmanager) (` + metric + `{` + ofAlertmanager + `})`
}

func (p *page) bridge() {
	graph := func(title, about, unit string, queries ...query) {
		p.graph(panel{title: title, about: about, unit: unit, empty: noBridge, queries: queries})
	}
	const legend = "{{instance}} {{alertmanager}} {{cluster}}"
	p.graph(panel{
		title: "Alertmanager can be reached", about: "Whether the last alerts were delivered to this Alertmanager: 1, or 0 if they were not.",
		unit: units.Short, empty: noBridge,
		queries: []query{{expr: perAlertmanager("servicegroup_notifications_alertmanager_up"), legend: legend}},
		draw:    counts().Max(1),
	})
	graph("Delivery latency", "Time from the poll that saw a death until the Alertmanager has the alert.", units.Seconds,
		deliveryQuantile("0.5", "median"), deliveryQuantile("0.99", "99 %"))
	graph("Alerts firing", "Alerts that the bridge keeps firing in each Alertmanager, and alerts that are retained because their source "+
		"can't be read.", units.Short,
		query{expr: perAlertmanager("servicegroup_alerts_firing"), legend: legend},
		query{expr: `max by (` + instanceLabels + `) (servicegroup_alerts_retained{` + ofExporter + `})`, legend: "{{instance}} {{cluster}} retained"})
	graph("Alerts sent per minute", "Delivered alerts, including those that are sent again so that they keep firing.", units.Short,
		query{
			expr:   `60 * max by (` + instanceLabels + `, alertmanager) (rate(servicegroup_notifications_sent_total{` + ofAlertmanager + `}[$__rate_interval]))`,
			legend: legend,
		})
	p.graph(panel{
		title: "Alerts failed or dropped",
		about: "Alerts in each interval that were not delivered, by reason: the request failed, or the queue was full. Or the Alertmanager took " +
			"them, though they were over by its clock.",
		unit: units.Short, scrapes: barScrapes, empty: "No alert failed, or bridge off",
		queries: []query{
			{expr: perAlertmanagerAnd(", reason", "servicegroup_notifications_errors_total"), legend: legend + " {{reason}}"},
			{expr: perAlertmanagerAnd("", "servicegroup_notifications_dropped_total"), legend: legend + " dropped"},
			{expr: perAlertmanagerAnd("", "servicegroup_notifications_over_on_arrival_total"), legend: legend + " over on arrival"},
		},
		draw: bars(),
	})
	p.graph(panel{
		title: "Queue length", about: "Alerts that wait to be sent to each Alertmanager.",
		unit: units.Short, empty: noBridge,
		queries: []query{{expr: perAlertmanager("servicegroup_notifications_queue_length"), legend: legend}},
		draw:    counts(),
	})
	graph("Time since the last success", "How long ago alerts were last delivered to each Alertmanager.", units.Seconds,
		query{
			expr: since(perAlertmanager("servicegroup_notifications_last_success_timestamp_seconds")), legend: legend,
		})
	p.graph(panel{
		title: "Alertmanager's clock", about: "The clock of each Alertmanager minus the exporter's clock.",
		unit: units.Seconds, empty: noBridge,
		queries: []query{{expr: perAlertmanager("servicegroup_notifications_alertmanager_clock_offset_seconds"), legend: legend}},
		draw:    clocks(),
	})
	p.add(24, 7, panel{
		title: "Label mismatches",
		about: "Alerts that an Alertmanager has twice, from the bridge and from Prometheus, because a label differs. They should be one alert.",
		unit:  units.Short, empty: "No mismatch, or bridge off",
		queries: []query{{
			expr:   `max by (` + instanceLabels + `, alertmanager, label) (servicegroup_notifications_label_mismatches{` + ofAlertmanager + `}) > 0`,
			legend: legend + " {{label}}",
		}},
	})
}

// perAlertmanagerAnd returns the expression for the events of each Alertmanager in each step, by more labels.
func perAlertmanagerAnd(labels, metric string) string {
	return events(instanceLabels+`, alertmanager`+labels, metric+`{`+ofAlertmanager+`}`)
}

// deliveryQuantile returns the query for a quantile of the deliveries in the last hour, because alerts are rare.
func deliveryQuantile(q, name string) query {
	return query{
		expr:   delivery().quantiles(q, recently),
		legend: "{{instance}} {{alertmanager}} {{cluster}} " + name,
	}
}

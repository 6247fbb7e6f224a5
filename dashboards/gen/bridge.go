package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// noBridge is said where no exporter pushes alerts.
const noBridge = "no data: bridge off"

// ofAlertmanager is what queries of the bridge select by.
const ofAlertmanager = ofJob + `, alertmanager=~"$alertmanager"`

// delivery is how long alerts took from the poll that saw a death to the Alertmanager.
const delivery = "servicegroup_alerts_delivery_latency_seconds"

func perAlertmanager(metric string) string {
	return `max by (instance, alertmanager) (` + metric + `{` + ofAlertmanager + `})`
}

func (p *page) bridge() {
	graph := func(title, about, unit string, queries ...query) {
		p.graph(panel{title: title, about: about, unit: unit, empty: noBridge, queries: queries})
	}
	const legend = "{{instance}} {{alertmanager}}"
	p.graph(panel{
		title: "Alertmanager can be reached", about: "Whether the last alerts reached this Alertmanager: 1, or 0 where they did not.",
		unit: units.Short, empty: noBridge,
		queries: []query{{expr: perAlertmanager("servicegroup_alerts_alertmanager_up"), legend: legend}},
		draw:    lines().LineInterpolation(common.LineInterpolationStepAfter).Max(1).Decimals(0),
	})
	graph("Delivery latency", "From the poll that saw a death to the Alertmanager that has the alert.", units.Seconds,
		deliveryQuantile("0.5", "median"), deliveryQuantile("0.99", "99 %"))
	graph("Alerts firing", "Alerts that the bridge keeps firing in each Alertmanager, and those that it holds because their source can't "+
		"be read.", units.Short,
		query{expr: perAlertmanager("servicegroup_alerts_firing"), legend: legend},
		query{expr: `max by (instance) (servicegroup_alerts_held{` + ofJob + `})`, legend: "{{instance}} held"})
	graph("Alerts sent a minute", "Alerts that were delivered, those that are sent again to stay firing included.", units.Short,
		query{
			expr:   `60 * max by (instance, alertmanager) (rate(servicegroup_alerts_sent_total{` + ofAlertmanager + `}[$__rate_interval]))`,
			legend: legend,
		})
	graph("Alerts failed or dropped a minute", "Alerts that were not delivered, by reason: tried in vain, or dropped from a queue that was full.",
		units.Short,
		query{
			expr: `60 * sum by (instance, alertmanager, reason) (rate(servicegroup_alerts_failed_total{` + ofAlertmanager +
				`}[$__rate_interval]))`,
			legend: legend + " {{reason}}",
		},
		query{
			expr:   `60 * sum by (instance, alertmanager) (rate(servicegroup_alerts_dropped_total{` + ofAlertmanager + `}[$__rate_interval]))`,
			legend: legend + " dropped",
		})
	graph("Queue", "Alerts that wait for each Alertmanager.", units.Short,
		query{expr: perAlertmanager("servicegroup_alerts_queue_length"), legend: legend})
	graph("Since the last success", "How long ago each Alertmanager took alerts.", units.Seconds,
		query{
			expr: since(perAlertmanager("servicegroup_alerts_last_success_timestamp_seconds")), legend: legend,
		})
	p.graph(panel{
		title: "Alertmanager's clock", about: "The clock of each Alertmanager less the exporter's.",
		unit: units.Seconds, empty: noBridge,
		queries: []query{{expr: perAlertmanager("servicegroup_alerts_clock_offset_seconds"), legend: legend}},
		draw:    signed(),
	})
	p.graph(panel{
		title: "Label mismatches",
		about: "Alerts that an Alertmanager holds twice, from the bridge and from Prometheus, because a label differs. They should be one.",
		unit:  units.Short, empty: "No label ever differed, or bridge off",
		queries: []query{{
			expr:   `max by (instance, alertmanager, label) (servicegroup_alerts_label_mismatches{` + ofAlertmanager + `})`,
			legend: legend + " {{label}}",
		}},
	})
}

// deliveryQuantile is one of what was delivered in the last hour: alerts are rare.
func deliveryQuantile(q, name string) query {
	return query{
		expr: `histogram_quantile(` + q + `, sum by (instance, alertmanager, le) (increase(` + delivery + `_bucket{` + ofAlertmanager +
			`}[` + recently + `])))`,
		legend: "{{instance}} {{alertmanager}} " + name,
	}
}

package alerts

import (
	"fmt"
	"strings"
	"time"
)

// exporterAlerts returns the alerts about this program.
func (c alerting) exporterAlerts() []definition {
	return []definition{
		{
			name: "ServiceGroupExporterDown", scope: scopeExporter, severity: severityWarning, hold: 2 * time.Minute,
			expr:    `up{job} == 0 and on (cluster, job) up{job} == 1`,
			summary: "Exporter {{ $labels.instance }} can't be scraped",
			describe: "Prometheus can't scrape {{ $labels.instance }} of job {{ $labels.job }}.{last scrape} {targets up}{targets} targets " +
				"of the job are up. Sources that only this exporter reads are not monitored.",
		},
		{
			name: "ServiceGroupExporterAllDown", scope: scopeExporter, severity: severityCritical, hold: time.Minute,
			expr:    `max by (cluster, job) (up{job}) == 0`,
			summary: "No service group exporter can be scraped",
			describe: "Prometheus can scrape {targets up}{targets} targets of job {{ $labels.job }}. The rules can't detect deaths of " +
				"members.{last scrape of all}",
		},
		{
			name: "ServiceGroupExporterAbsent", scope: scopeExporter, severity: severityCritical, hold: 5 * time.Minute,
			// The first part tells one cluster of several, for an hour. The second part is for when there is none.
			expr: `(
  group by (cluster, job) (last_over_time(up{job}[1h])) unless on (cluster, job) up{job}
  unless on (cluster) servicegroup_source_up{ours}
)
or
absent_over_time(up{job}[1h]) unless on () servicegroup_source_up{ours}`,
			summary:  "Prometheus has no service group exporter to scrape",
			describe: "Prometheus has no target of job {{ $labels.job }}. The rules can't detect deaths of members.{last scrape of all}",
		},
		{
			name: "ServiceGroupJobMismatch", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr:    `group by (cluster, job) (servicegroup_source_up{ours}) unless on (cluster) up{job}`,
			summary: "Service group exporters are scraped under job {{ $labels.job }}",
			describe: fmt.Sprintf("Prometheus scrapes service group exporters under job {{ $labels.job }}, and the rules are for job %s. "+
				"They can't tell when an exporter is down. Set alerting.job to the name of the job, and generate the rules again.", c.Job),
		},
		{
			name: "ServiceGroupLabelsOverwritten", scope: scopeExporter, severity: severityWarning,
			expr:    overwritten(),
			summary: "Prometheus overwrites label {{ $labels.label }} of {{ $labels.instance }}",
			describe: "Series of {{ $labels.instance }} have another label {{ $labels.label }} than the exporter gave them, so that the " +
				"rules mix up groups or members. Set honor_labels: true in scrape job {{ $labels.job }}.",
		},
		{
			name: "ServiceGroupConfigReloadFailed", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr:     `max by (cluster, job, instance) (servicegroup_config_last_reload_successful{exporters}{and ours}) == 0`,
			summary:  "{{ $labels.instance }} refused its configuration",
			describe: "{{ $labels.instance }} refused its new configuration and runs with the previous one{loaded}. A restart would fail.",
		},
		{
			name: "ServiceGroupEventsDropped", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr:    `sum by (cluster, job, instance) (increase(servicegroup_events_dropped_total{exporters}[15m]){and ours}) > 0`,
			summary: "{{ $labels.instance }} drops events",
			describe: "{{ $labels.instance }} has dropped about {about} events within 15 minutes, because a program that reads them was too " +
				"slow. The list of events or a stream of events lacks them. No alert is lost: the bridge reads the states of members.",
		},
	}
}

// bridgeAlerts returns the alerts about the bridge, and the watchdog.
func (c alerting) bridgeAlerts() []definition {
	return []definition{
		{
			name: "ServiceGroupBridgePushFailing", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr: `min by (cluster, alertmanager) (servicegroup_notifications_alertmanager_up{exporters}{and ours}) == 0
or
sum by (cluster, alertmanager) (increase(servicegroup_notifications_dropped_total{exporters}[15m]){and ours}) > 0`,
			summary: "Alertmanager {{ $labels.alertmanager }} does not accept alerts",
			describe: "An exporter can't reach Alertmanager {{ $labels.alertmanager }}, or alerts for it were dropped.{last post}{dropped} " +
				"Other Alertmanagers and the rules still notify.",
		},
		{
			name: "ServiceGroupBridgeAllFailing", scope: scopeExporter, severity: severityCritical, hold: time.Minute,
			expr:    `max by (cluster, job, instance) (servicegroup_notifications_alertmanager_up{exporters}{and ours}) == 0`,
			summary: "{{ $labels.instance }} can't reach any Alertmanager",
			describe: "{{ $labels.instance }} can post to 0{alertmanagers} Alertmanagers.{last post of all} Only the rules notify of deaths, " +
				"after the next scrape and rule evaluation.",
		},
		{
			name: "ServiceGroupBridgeLabelMismatch", scope: scopeExporter, severity: severityWarning, hold: 2 * time.Minute,
			expr:    `max by (cluster, alertmanager, label) (servicegroup_notifications_label_mismatches{exporters}{and ours}) > 0`,
			summary: "Rules and bridge disagree about label {{ $labels.label }}",
			describe: "Alertmanager {{ $labels.alertmanager }} has two alerts about each of {value} problems. They differ in label " +
				"{{ $labels.label }}, so that each death notifies twice. Rules and bridge have different configurations, or vmalert " +
				"runs without -disableAlertgroupLabel, or only one of the two gives the alerts the label of the cluster.",
		},
		{
			name: "ServiceGroupWatchdog", scope: scopeExporter, severity: severityNone,
			expr:     "vector(1)",
			summary:  "Watchdog: the alerting pipeline is working",
			describe: "This alert always fires. An external service should notify you when it stops arriving.",
		},
	}
}

// overwritten returns an expression for labels of members that do not have the value which the exporter gave them. In
// servicegroup_label_check, the value of each label is its name.
func overwritten() string {
	var checks []string
	for _, label := range []string{"binary", "group", "host", "member", "source", "zone"} {
		checks = append(checks, fmt.Sprintf(`label_replace(servicegroup_label_check{exporters, %s!=%[1]q}, "label", %[1]q, "", "")`, label))
	}
	return "group by (cluster, job, instance, label) (\n  " + strings.Join(checks, "\n  or ") + "\n)"
}

package alerts

import (
	"fmt"
	"time"
)

// exporterAlerts returns the alerts about this program and its bridge.
func (c alerting) exporterAlerts() []definition {
	up := fmt.Sprintf("up{job=%q}", c.Job)
	return []definition{
		{
			name: "ServiceGroupExporterDown", scope: scopeExporter, severity: severityWarning, hold: 2 * time.Minute,
			expr:    fixed(fmt.Sprintf("%[1]s == 0\nunless on (job) sum by (job) (%[1]s) == 0", up)),
			summary: "Exporter {{ $labels.instance }} can't be scraped",
			describe: "Prometheus can't scrape {{ $labels.instance }} of job {{ $labels.job }}. Other exporters of the job are " +
				"up. Sources that only this exporter reads are not monitored.",
		},
		{
			name: "ServiceGroupExporterAllDown", scope: scopeExporter, severity: severityCritical, hold: time.Minute,
			expr:     fixed("sum by (job) (" + up + ") == 0"),
			summary:  "No service group exporter can be scraped",
			describe: "Prometheus can't scrape any target of job {{ $labels.job }}. The rules can't detect deaths of members.",
		},
		{
			name: "ServiceGroupExporterAbsent", scope: scopeExporter, severity: severityCritical, hold: 5 * time.Minute,
			expr:     fixed("absent(" + up + ")"),
			summary:  "Prometheus has no service group exporter to scrape",
			describe: "Prometheus has no target of job {{ $labels.job }}. The rules can't detect deaths of members.",
		},
		{
			name: "ServiceGroupConfigReloadFailed", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr:     fixed("max by (job, instance) (servicegroup_config_last_reload_successful) == 0"),
			summary:  "{{ $labels.instance }} refused its configuration",
			describe: "{{ $labels.instance }} refused its new configuration and runs with the previous one. A restart would fail.",
		},
		{
			name: "ServiceGroupBridgePushFailing", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr: fixed(`min by (alertmanager) (servicegroup_notifications_alertmanager_up) == 0
or
sum by (alertmanager) (increase(servicegroup_notifications_dropped_total[15m])) > 0`),
			summary: "Alertmanager {{ $labels.alertmanager }} does not accept alerts",
			describe: "An exporter can't reach Alertmanager {{ $labels.alertmanager }}, or alerts for it were dropped. Other " +
				"Alertmanagers and the rules still notify.",
		},
		{
			name: "ServiceGroupBridgeAllFailing", scope: scopeExporter, severity: severityCritical, hold: time.Minute,
			expr:    fixed("max by (job, instance) (servicegroup_notifications_alertmanager_up) == 0"),
			summary: "{{ $labels.instance }} can't reach any Alertmanager",
			describe: "{{ $labels.instance }} can't post to any Alertmanager. Only the rules notify of deaths, after the next scrape " +
				"and rule evaluation.",
		},
		{
			name: "ServiceGroupBridgeLabelMismatch", scope: scopeExporter, severity: severityWarning, hold: 2 * time.Minute,
			expr:    fixed("max by (alertmanager, label) (servicegroup_notifications_label_mismatches) > 0"),
			summary: "Rules and bridge disagree about label {{ $labels.label }}",
			describe: "Alertmanager {{ $labels.alertmanager }} has two alerts about the same problem that differ in label " +
				"{{ $labels.label }}, so that each death notifies twice. Rules and bridge have different configurations.",
		},
		{
			name: "ServiceGroupWatchdog", scope: scopeExporter, severity: severityNone,
			expr:     fixed("vector(1)"),
			summary:  "Watchdog: the alerting pipeline is working",
			describe: "This alert always fires. An external service should notify you when it stops arriving.",
		},
	}
}

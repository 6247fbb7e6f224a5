package alerts

import (
	"fmt"
	"time"
)

// exporterAlerts are about this program and its bridge.
func (c alerting) exporterAlerts() []definition {
	up := fmt.Sprintf("up{job=%q}", c.Job)
	return []definition{
		{
			name: "ServiceGroupExporterDown", scope: scopeExporter, severity: severityWarning, hold: 2 * time.Minute,
			expr:    fixed(fmt.Sprintf("%[1]s == 0\nunless on (job) sum by (job) (%[1]s) == 0", up)),
			summary: "Exporter {{ $labels.instance }} can't be scraped",
			describe: "Prometheus can't scrape {{ $labels.instance }} of job {{ $labels.job }}. Other exporters of the job are " +
				"up: what only this one reads is not known.",
		},
		{
			name: "ServiceGroupExporterAllDown", scope: scopeExporter, severity: severityCritical, hold: time.Minute,
			expr:     fixed("sum by (job) (" + up + ") == 0"),
			summary:  "No exporter of service groups can be scraped",
			describe: "Prometheus can't scrape any target of job {{ $labels.job }}: no rule would notice if a member died.",
		},
		{
			name: "ServiceGroupExporterAbsent", scope: scopeExporter, severity: severityCritical, hold: 5 * time.Minute,
			expr:     fixed("absent(" + up + ")"),
			summary:  "There is no exporter of service groups",
			describe: "Prometheus has no target of job {{ $labels.job }}: no rule would notice if a member died.",
		},
		{
			name: "ServiceGroupConfigReloadFailed", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr:    fixed("max by (job, instance) (servicegroup_config_last_reload_successful) == 0"),
			summary: "{{ $labels.instance }} has refused its configuration",
			describe: "The newest configuration of {{ $labels.instance }} was refused, and the one before goes on. A restart " +
				"would fail.",
		},
		{
			name: "ServiceGroupBridgePushFailing", scope: scopeExporter, severity: severityWarning, hold: 5 * time.Minute,
			expr: fixed(`min by (alertmanager) (servicegroup_alerts_alertmanager_up) == 0
or
sum by (alertmanager) (increase(servicegroup_alerts_dropped_total[15m])) > 0`),
			summary: "Alertmanager {{ $labels.alertmanager }} does not take alerts",
			describe: "An exporter can't reach Alertmanager {{ $labels.alertmanager }}, or the alerts that it posts there are " +
				"refused. Other Alertmanagers and the rules still page.",
		},
		{
			name: "ServiceGroupBridgeAllFailing", scope: scopeExporter, severity: severityCritical, hold: time.Minute,
			expr:    fixed("max by (job, instance) (servicegroup_alerts_alertmanager_up) == 0"),
			summary: "{{ $labels.instance }} can't reach any Alertmanager",
			describe: "{{ $labels.instance }} can't post to any Alertmanager. Deaths are paged by the rules only, as late as " +
				"scrapes and evaluations make it.",
		},
		{
			name: "ServiceGroupBridgeLabelMismatch", scope: scopeExporter, severity: severityWarning, hold: 2 * time.Minute,
			expr:    fixed("max by (alertmanager, label) (servicegroup_alerts_label_mismatches) > 0"),
			summary: "Rules and bridge disagree about label {{ $labels.label }}",
			describe: "Alertmanager {{ $labels.alertmanager }} has alerts about the same member that differ in label " +
				"{{ $labels.label }}, so that a death pages twice. Rules and bridge have different configurations.",
		},
		{
			name: "ServiceGroupWatchdog", scope: scopeExporter, severity: severityNone,
			expr:     fixed("vector(1)"),
			summary:  "The way from the rules to Alertmanager works",
			describe: "This alert always fires. Let somebody outside notice when it does not arrive any more.",
		},
	}
}

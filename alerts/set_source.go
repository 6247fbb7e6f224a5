package alerts

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// detectionSlack is how much longer detection may take than a member may be silent and rules wait for a scrape.
const detectionSlack = 30 * time.Second

// sourceAlerts are about sources as a whole.
func (c alerting) sourceAlerts() []definition {
	keep := time.Duration(c.KeepFiringFor)
	return []definition{
		{
			name: MassFailure, scope: scopeSource, severity: severityCritical, keep: keep,
			expr: fixed(`sum by (source) (servicegroup:members_down:count)
/ sum by (source) (servicegroup:members_in_service:count) > 0.5
and on (source) sum by (source) (servicegroup:members_down:count) >= 5`),
			summary: "Most members of source {{ $labels.source }} are down",
			describe: "More than half of all members of source {{ $labels.source }} that are in service are down. Suspect the " +
				"backend, the network or the way of the heartbeats before the members.",
		},
		{
			name: "ServiceGroupHeartbeatsStalled", scope: scopeSource, severity: severityCritical, keep: keep,
			// While the source could not be read nobody could write to it either: its members get the time to report.
			expr: fixed(fmt.Sprintf(`min by (source) (
  timestamp(servicegroup_source_newest_heartbeat_timestamp_seconds)
  + servicegroup_source_clock_offset_seconds
  - servicegroup_source_newest_heartbeat_timestamp_seconds
) > on (source) max by (source) (servicegroup_source_down_time_seconds) / 2
and on (source) sum by (source) (servicegroup:members_in_service:count) >= 3
and on (source) max by (source) (min_over_time(servicegroup_source_up[%s])) == 1`, c.timeToReport())),
			summary: "No heartbeat arrives in source {{ $labels.source }}",
			describe: "The newest heartbeat of any member of source {{ $labels.source }} is older than half the time that a " +
				"member may be silent. Not the members but the way of their heartbeats is broken, and soon all will count as down.",
		},
		{
			name: "ServiceGroupSourceUnreachable", scope: scopeSource, severity: severityCritical, hold: time.Minute,
			expr:    fixed("max by (source) (servicegroup_source_up) == 0"),
			summary: "Source {{ $labels.source }} can't be read",
			describe: "Source {{ $labels.source }} can't be read by any exporter: nobody would notice if a member died. Alerts " +
				"about its members stay as they were.",
		},
		{
			name: "ServiceGroupViewStale", scope: scopeSource, severity: severityCritical, hold: time.Minute,
			expr: fixed(fmt.Sprintf(`max by (source) (changes(servicegroup_source_last_success_timestamp_seconds[%[1]s])) == 0
and on (source) max by (source) (count_over_time(servicegroup_source_last_success_timestamp_seconds[%[1]s])) >= 3
and on (source) max by (source) (servicegroup_source_up) == 1`, c.staleAfter())),
			summary: "What is known of source {{ $labels.source }} is old",
			describe: "Source {{ $labels.source }} counts as readable but has not been read for several scrapes: what is shown " +
				"of its members is old.",
		},
		{
			name: "ServiceGroupMembersUnknown", scope: scopeSource, severity: severityWarning, hold: 15 * time.Minute,
			expr:    fixed("min by (source) (servicegroup_source_unknown_members) > 0"),
			summary: "Members of source {{ $labels.source }} are unknown",
			describe: "Source {{ $labels.source }} can be read, but says nothing that can be used about some of its members. " +
				"Nobody would notice if they died.",
		},
		{
			name: "ServiceGroupSourceClockSkew", scope: scopeSource, severity: severityWarning, hold: 5 * time.Minute,
			expr:    fixed("max by (source) (abs(servicegroup_source_clock_offset_seconds)) > 5"),
			summary: "The clocks of source {{ $labels.source }} and of an exporter differ",
			describe: "The clock of source {{ $labels.source }} and that of an exporter differ by more than 5 seconds. Verdicts " +
				"go by the source's clock, but times that are shown are off.",
		},
		{
			name: "ServiceGroupDetectionSlow", scope: scopeSource, severity: severityWarning, keep: 30 * time.Minute,
			dashboard: "servicegroup-detection",
			expr: fixed(fmt.Sprintf(`histogram_quantile(0.99,
  sum by (source, le) (increase(servicegroup_detection_latency_seconds_bucket[1h]))
) > on (source) max by (source) (servicegroup_source_down_time_seconds) + %g`,
				(time.Duration(c.ScrapeInterval) + detectionSlack).Seconds())),
			summary: "Deaths in source {{ $labels.source }} are noticed late",
			describe: "Of the deaths in source {{ $labels.source }} within the last hour, one in a hundred or more was noticed " +
				"later than the time that a member may be silent and a scrape explain.",
		},
		{
			name: "ServiceGroupCanaryFailing", scope: scopeSource, severity: severityWarning, keep: keep,
			dashboard: "servicegroup-detection",
			// What can't be read is no canary's fault, and has its own alert. One round that fails is chance.
			expr: fixed(`sum by (source) (increase(servicegroup_canary_failures_total{reason!="unavailable"}[1h]))
/ sum by (source) (increase(servicegroup_canary_rounds_total[1h])) >= 0.5`),
			summary: "The canary of source {{ $labels.source }} fails",
			describe: "In source {{ $labels.source }}, half or more of the rounds of the last hour failed, in which a member that " +
				"exists for that purpose dies and returns: it is not known whether real deaths would be noticed.",
		},
	}
}

// staleAfter is how far to look back for a poll that succeeded: a few scrapes.
func (c alerting) staleAfter() string {
	return model.Duration(max(5*time.Duration(c.ScrapeInterval), time.Second)).String()
}

// timeToReport is how long a source has to have been readable before its members may be expected to have reported: more
// than any usual down time, and at least two scrapes.
func (c alerting) timeToReport() string {
	return model.Duration(max(2*time.Duration(c.ScrapeInterval), 2*time.Minute)).String()
}

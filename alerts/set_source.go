package alerts

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// detectionSlack is how much longer than the heartbeat timeout and the scrape interval a detection may take.
const detectionSlack = 30 * time.Second

// sourceAlerts returns the alerts about sources as a whole.
func (c alerting) sourceAlerts() []definition {
	keep := time.Duration(c.KeepFiringFor)
	return []definition{
		{
			name: MassFailure, scope: scopeSource, severity: severityCritical, keep: keep,
			expr: fixed(`sum by (source) (servicegroup:members_down:count)
/ sum by (source) (servicegroup:members_in_service:count) > 0.5
and on (source) sum by (source) (servicegroup:members_down:count) >= 5`),
			summary: "Most members of source {{ $labels.source }} are down",
			describe: "More than half of the members of source {{ $labels.source }} that are in service are down. Suspect the " +
				"backend, the network or the heartbeat path before the members.",
		},
		{
			name: "ServiceGroupHeartbeatsStalled", scope: scopeSource, severity: severityCritical, keep: keep,
			// While the source could not be read, members could not report either. They get time to report again.
			expr: fixed(fmt.Sprintf(`min by (source) (
  timestamp(servicegroup_source_newest_heartbeat_timestamp_seconds)
  + servicegroup_source_clock_offset_seconds
  - servicegroup_source_newest_heartbeat_timestamp_seconds
) > on (source) max by (source) (servicegroup_source_heartbeat_timeout_seconds) / 2
and on (source) sum by (source) (servicegroup:members_in_service:count) >= 3
and on (source) max by (source) (min_over_time(servicegroup_source_up[%s])) == 1`, c.timeToReport())),
			summary: "No heartbeats arrive in source {{ $labels.source }}",
			describe: "The newest heartbeat of all members of source {{ $labels.source }} is older than half the heartbeat timeout. " +
				"Suspect the heartbeat path, not the members. Soon all members will count as down.",
		},
		{
			name: "ServiceGroupSourceUnreachable", scope: scopeSource, severity: severityCritical, hold: time.Minute,
			expr:    fixed("max by (source) (servicegroup_source_up) == 0"),
			summary: "Source {{ $labels.source }} can't be read",
			describe: "No exporter can read source {{ $labels.source }}, so that deaths of its members are not detected. Alerts " +
				"about its members are retained.",
		},
		{
			name: "ServiceGroupViewStale", scope: scopeSource, severity: severityCritical, hold: time.Minute,
			expr: fixed(fmt.Sprintf(`max by (source) (changes(servicegroup_source_last_success_timestamp_seconds[%[1]s])) == 0
and on (source) max by (source) (count_over_time(servicegroup_source_last_success_timestamp_seconds[%[1]s])) >= 3
and on (source) max by (source) (servicegroup_source_up) == 1`, c.staleAfter())),
			summary: "Data about source {{ $labels.source }} is out of date",
			describe: "Source {{ $labels.source }} counts as readable, but no poll has succeeded for several scrape intervals. The " +
				"states of its members are out of date.",
		},
		{
			name: "ServiceGroupMembersUnknown", scope: scopeSource, severity: severityWarning, hold: 15 * time.Minute,
			expr:    fixed("min by (source) (servicegroup_source_unknown_members) > 0"),
			summary: "Members of source {{ $labels.source }} are unknown",
			describe: "Source {{ $labels.source }} can be read, but the states of some of its members are unknown. Deaths of these " +
				"members are not detected.",
		},
		{
			name: "ServiceGroupSourceClockSkew", scope: scopeSource, severity: severityWarning, hold: 5 * time.Minute,
			expr:    fixed("max by (source) (abs(servicegroup_source_clock_offset_seconds)) > 5"),
			summary: "The clocks of source {{ $labels.source }} and of an exporter differ",
			describe: "The clocks of source {{ $labels.source }} and of an exporter differ by more than 5 seconds. States of members " +
				"are right, because they are decided by the source's clock, but times that are shown are wrong.",
		},
		{
			name: "ServiceGroupDetectionSlow", scope: scopeSource, severity: severityWarning, keep: 30 * time.Minute,
			dashboard: "servicegroup-detection",
			expr: fixed(fmt.Sprintf(`histogram_quantile(0.99,
  sum by (source, le) (increase(servicegroup_detection_latency_seconds_bucket[1h]))
) > on (source) max by (source) (servicegroup_source_heartbeat_timeout_seconds) + %g`,
				(time.Duration(c.ScrapeInterval) + detectionSlack).Seconds())),
			summary: "Deaths in source {{ $labels.source }} are detected late",
			describe: "At least one in a hundred deaths in source {{ $labels.source }} within the last hour was detected later than " +
				"the heartbeat timeout and the scrape interval explain.",
		},
		{
			name: "ServiceGroupCanaryFailing", scope: scopeSource, severity: severityWarning, keep: keep,
			dashboard: "servicegroup-detection",
			// Rounds in which the source could not be read don't count: that has its own alert. One failed round may be chance.
			expr: fixed(`sum by (source) (increase(servicegroup_canary_failures_total{reason!="unavailable"}[1h]))
/ sum by (source) (increase(servicegroup_canary_rounds_total[1h])) >= 0.5`),
			summary: "The canary of source {{ $labels.source }} is failing",
			describe: "The canary is a member of source {{ $labels.source }} that dies and returns as a test. At least half of its " +
				"rounds within the last hour failed, so that real deaths may not be detected.",
		},
	}
}

// staleAfter returns how far to look back for a successful poll: a few scrape intervals.
func (c alerting) staleAfter() string {
	return model.Duration(max(5*time.Duration(c.ScrapeInterval), time.Second)).String()
}

// timeToReport returns how long a source must have been readable before its members are expected to have reported: longer
// than usual heartbeat timeouts, and at least two scrape intervals.
func (c alerting) timeToReport() string {
	return model.Duration(max(2*time.Duration(c.ScrapeInterval), 2*time.Minute)).String()
}

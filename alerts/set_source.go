package alerts

import (
	"fmt"
	"time"
)

// detectionSlack is how much longer than the heartbeat timeout and the scrape interval a detection may take.
const detectionSlack = 30 * time.Second

// sourceAlerts returns the alerts about sources as a whole.
func (c alerting) sourceAlerts() []definition {
	keep := time.Duration(c.KeepFiringFor)
	return []definition{
		{
			name: MassFailure, scope: scopeSource, severity: severityCritical, keep: keep,
			expr: "sum by (cluster, source) (" + groupDown + ") >= 5\nand sum by (cluster, source) (" + groupDown +
				")\n/ sum by (cluster, source) (" + groupInService + ") > 0.5",
			summary: "Most members of source {{ $labels.source }} are down",
			describe: "{value}{of source} members of source {{ $labels.source }} are down. Suspect the backend, the network or the " +
				"heartbeat path before the members.",
		},
		{
			name: "ServiceGroupHeartbeatsStalled", scope: scopeSource, severity: severityCritical, keep: keep,
			// An exporter that can't read the source says 0.
			expr: `min by (cluster, source) (
  servicegroup_source_heartbeats_stalled{ours} and on (cluster, job, instance, source) servicegroup_source_up{ours} == 1
) == 1`,
			summary: "No heartbeats arrive in source {{ $labels.source }}",
			describe: "The newest heartbeat of all members of source {{ $labels.source }}{newest} is older than half the heartbeat " +
				"timeout{timeout}. Suspect the heartbeat path, not the members. Soon all members will count as down.",
		},
		{
			name: "ServiceGroupSourceUnreachable", scope: scopeSource, severity: severityCritical, hold: time.Minute,
			expr:    `max by (cluster, source) (servicegroup_source_up{ours}) == 0`,
			summary: "Source {{ $labels.source }} can't be read",
			describe: "No exporter can read source {{ $labels.source }}{reason}, so that deaths of its members are not detected." +
				"{last read} Alerts about its members are retained{retained}.",
		},
		{
			name: "ServiceGroupViewStale", scope: scopeSource, severity: severityCritical, hold: time.Minute,
			// The age at each scrape, so that the scrape interval does not matter. The last part is for an exporter whose clock is
			// behind that of Prometheus.
			expr: `min by (cluster, source) (
  timestamp(servicegroup_source_last_success_timestamp_seconds{ours})
  - servicegroup_source_last_success_timestamp_seconds{ours}
  and on (cluster, job, instance, source) servicegroup_source_up{ours} == 1
) > 120
unless on (cluster, source) changes(servicegroup_source_last_success_timestamp_seconds{ours}[5m]) > 0`,
			summary: "Data about source {{ $labels.source }} is out of date",
			describe: "Source {{ $labels.source }} counts as readable, but no poll has succeeded for more than two minutes{last poll}. The " +
				"states of its members are out of date.",
		},
	}
}

// detectionAlerts returns the alerts about what is not known of a source that can be read, or is known late.
func (c alerting) detectionAlerts() []definition {
	return []definition{
		{
			name: "ServiceGroupMembersUnknown", scope: scopeSource, severity: severityWarning, hold: 15 * time.Minute,
			expr:     `min by (cluster, source) (servicegroup_source_unknown_members{ours}) > 0`,
			summary:  "Members of source {{ $labels.source }} are unknown",
			describe: "Source {{ $labels.source }} can be read, but {value} of its members are unknown. Their deaths are not detected.",
		},
		{
			name: "ServiceGroupMembersRejected", scope: scopeSource, severity: severityWarning, hold: 5 * time.Minute,
			expr:    `max by (cluster, source, reason) (increase(servicegroup_source_rejected_members_total{ours}[15m])) > 0`,
			summary: "Entries of source {{ $labels.source }} are rejected",
			describe: "About {about} times within 15 minutes, an entry of source {{ $labels.source }} was rejected (reason: " +
				"{{ $labels.reason }}). It looks like a member and can't be used as one, so that no alert fires when that member dies.",
		},
		{
			name: SourceProblem, scope: scopeSource, severity: severityWarning, hold: SourceProblemHold,
			// An exporter that can read the source goes before one that can't, which says what it knew before.
			expr: `max by (cluster, source, problem) (
  servicegroup_source_problems{ours} and on (cluster, job, instance, source) servicegroup_source_up{ours} == 1
  or servicegroup_source_problems{ours} unless on (cluster, source) servicegroup_source_up{ours} == 1
) == 1`,
			summary: "Source {{ $labels.source }} is probably not as it was meant ({{ $labels.problem }})",
			describe: "Source {{ $labels.source }} can be read, but something that is configured is absent, fits nothing, can't be read, or " +
				"belongs to another service. Members that are not seen can't be missed. The log and the status page have the details.",
		},
		{
			name: "ServiceGroupSourceClockSkew", scope: scopeSource, severity: severityWarning, hold: 5 * time.Minute,
			expr:    `max by (cluster, source) (abs(servicegroup_source_clock_offset_seconds{ours})) > 5`,
			summary: "The clocks of source {{ $labels.source }} and of an exporter differ",
			describe: "The clocks of source {{ $labels.source }} and of an exporter differ by {duration}. States of members " +
				"are right, because they are decided by the source's clock, but times that are shown are wrong.",
		},
		{
			name: "ServiceGroupDetectionSlow", scope: scopeSource, severity: severityWarning, keep: 30 * time.Minute,
			dashboard: "servicegroup-detection",
			// Prometheus stores a histogram with buckets as series, as a native histogram, or as both: the first part that has
			// deaths counts. A quantile without deaths is NaN, which is not >= 0.
			expr: fmt.Sprintf(`(
  histogram_quantile(0.99,
    sum by (cluster, source, le) (increase(servicegroup_detection_latency_seconds_bucket{ours}[1h]))
  ) >= 0
  or
  histogram_quantile(0.99, sum by (cluster, source) (increase(servicegroup_detection_latency_seconds{ours}[1h])))
) > on (cluster, source) max by (cluster, source) (servicegroup_source_heartbeat_timeout_seconds{ours}) + %g`,
				(time.Duration(c.ScrapeInterval) + detectionSlack).Seconds()),
			summary: "Deaths in source {{ $labels.source }} are detected late",
			describe: "At least one in a hundred deaths in source {{ $labels.source }} within the last hour was detected {duration} " +
				"after the last proof of life or later. The heartbeat timeout{timeout} and the scrape interval do not explain that.",
		},
		{
			name: "ServiceGroupCanaryFailing", scope: scopeSource, severity: severityWarning, keep: time.Duration(c.KeepFiringFor),
			dashboard: "servicegroup-detection",
			// Rounds in which the source could not be read don't count: that has its own alert. One failed round may be chance.
			expr: `sum by (cluster, source) (increase(servicegroup_canary_failures_total{ours, reason!="unavailable"}[1h]))
/ sum by (cluster, source) (increase(servicegroup_canary_rounds_total{ours}[1h])) >= 0.5`,
			summary: "The canary of source {{ $labels.source }} is failing",
			describe: "The canary is a member of source {{ $labels.source }} that dies and returns as a test. {percent} of its " +
				"rounds within the last hour failed, so that real deaths may not be detected.",
		},
	}
}

// stateAlerts returns the alerts about what an exporter has saved of a source.
func (c alerting) stateAlerts() []definition {
	return []definition{
		{
			name: "ServiceGroupStateNotSaved", scope: scopeSource, severity: severityWarning, hold: 5 * time.Minute,
			expr:    `sum by (cluster, instance, source) (increase(servicegroup_state_save_failures_total{ours}[15m])) > 0`,
			summary: "{{ $labels.instance }} can't save the state of source {{ $labels.source }}",
			describe: "About {about} times within 15 minutes, {{ $labels.instance }} could not save the state of source " +
				"{{ $labels.source }}. After a restart it would not know which members had died before.",
		},
		{
			// For an hour. The counter does not grow after the load, so that a restart must show in another one.
			name: "ServiceGroupStateNotLoaded", scope: scopeSource, severity: severityWarning,
			expr: `sum by (cluster, instance, source) (
  servicegroup_state_load_failures_total{ours} > 0
  unless (
    servicegroup_state_load_failures_total{ours} offset 1h > 0
    unless on (cluster, job, instance, source) resets(servicegroup_source_requests_total{ours}[1h]) > 0
  )
)`,
			summary: "{{ $labels.instance }} could not load the state of source {{ $labels.source }}",
			describe: "When {{ $labels.instance }} began with source {{ $labels.source }}, it could not load all that was saved. Members that " +
				"had died before, and that the backend does not list any more, may be forgotten. The log has the reason.",
		},
	}
}

package alerts

import "time"

// lastSaid returns the expression for what each exporter says, or said when it was last scraped, for an hour.
func lastSaid(series, matchers string) string {
	series += "{" + matchers + "}"
	return `(
    ` + series + `
    or last_over_time(` + series + `[1h]) unless on (cluster, job, instance) up{job} == 1
  )`
}

// hostDown returns the expression for a host that is down: an exporter says so, whose word counts about each member on the host. Where
// several exporters can each read some of the sources, they may say so together. No exporter that knows all its groups says that the
// host is up. The value is the time since which the host is down; 1: it is not known. A host has one zone, "-" stands for none. The
// series of a silent member ends when its host has returned, so that its last value counts only for an exporter that last said the host
// is down.
func (c alerting) hostDown() string {
	// It is 0 for an hour after a host was down, so that the last value within an hour is never a death that has ended.
	down := lastSaid("servicegroup_host_down_since_timestamp_seconds", "exporters")
	silent := lastSaid("servicegroup_host_silent_member_timestamp_seconds", "ours")
	confirmed := ""
	if c.PageConfirmedHosts {
		confirmed = "\n  and on (cluster, job, instance, host) " + lastSaid("servicegroup_member_down", "ours") + " == 1"
	}
	return `label_replace(topk by (cluster, host) (1, max by (cluster, host, zone) (
  ` + down + ` > 0
  and on (cluster, job, instance, host) ` + silent + confirmed + `
  unless on (cluster, job, instance, host) (
    ` + silent + `
    unless on (cluster, host, source, group, member) (
      ` + silent + `
      and on (cluster, job, instance, host) ` + down + ` > 0
      and on (cluster, job, instance, source, group) ` + voters + `
    )
  )
)), "zone", "", "zone", "-")
unless on (cluster, host) (
  servicegroup_host_up{exporters} == 1
  and on (cluster, job, instance) min by (cluster, job, instance) (servicegroup_group_known{ours}) == 1
)`
}

// sourceVoters are the exporters whose word counts about a source: all that can read it. If none can, it is the one that read it last,
// even if it has been away for up to an hour since.
const sourceVoters = `(
    servicegroup_source_up{ours} == 1
    or topk by (cluster, source) (1,
      servicegroup_source_last_success_timestamp_seconds{ours}
      or last_over_time(servicegroup_source_last_success_timestamp_seconds{ours}[1h])
        unless on (cluster, job, instance) up{job} == 1
    ) unless on (cluster, source) servicegroup_source_up{ours} == 1
  )`

// ofZones returns the expression for what the exporters say about zones, as the least or the greatest.
func ofZones(aggregate, series string) string {
	return aggregate + ` by (cluster, source, zone) (
  ` + lastSaid(series, "ours") + `
  and on (cluster, job, instance, source) ` + sourceVoters + `
)`
}

// zoneDown returns the expression for a zone that is down. Its members are down in one source, and no source with a zone of that name
// has one that is up: otherwise its service has failed, or the way of its heartbeats.
func zoneDown() string {
	down, inService := ofZones("min", "servicegroup_zone_members_down"), ofZones("max", "servicegroup_zone_members_in_service")
	return down + "\n== " + inService + "\nand " + ofZones("max", "servicegroup_zone_hosts") + " > 1\n" +
		"unless on (cluster, zone) (\n" + inService + "\n> " + down + "\n)"
}

// hostAlerts returns the alerts about machines, and about zones with many of them.
func (c alerting) hostAlerts() []definition {
	return []definition{
		{
			name: ZoneDown, scope: scopeZone, severity: severityCritical, keep: time.Duration(c.KeepFiringFor) + time.Minute,
			expr:    zoneDown(),
			summary: "Zone {{ $labels.zone }} of source {{ $labels.source }} is down",
			describe: "All members of zone {{ $labels.zone }} of source {{ $labels.source }} that are in service are down or suspected: " +
				"{value}{on hosts}. Suspect the power or the network of the zone before its hosts.",
		},
		{
			// It outlasts the alerts that it inhibits, because the services of a machine that has returned do not report at once.
			name: HostDown, scope: scopeHost, severity: severityCritical, keep: time.Duration(c.KeepFiringFor) + time.Minute,
			expr: c.hostDown(), hasHost: true,
			summary:  "Host {{ $labels.host }} is down",
			describe: "No service on host {{ $labels.host }}{zone} has reported{since}. {confirmed}{services}",
		},
	}
}

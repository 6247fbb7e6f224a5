package alerts

// A recording is a recording rule. Several alerts and the dashboards use its result.
type recording struct{ record, expr string }

// voters are the exporters whose word counts about a group: all that know it, by their last poll. If none does, it is the one
// with the newest knowledge, even if it has been away for up to an hour since.
const voters = `(
    servicegroup_group_known{ours} == 1
    or topk by (cluster, source, group) (1,
      servicegroup_group_last_known_timestamp_seconds{ours}
      or last_over_time(servicegroup_group_last_known_timestamp_seconds{ours}[1h])
        unless on (cluster, job, instance) up{job} == 1
    ) unless on (cluster, source, group) servicegroup_group_known{ours} == 1
  )`

// recordings returns the recording rules. Which member is down and how many are in service was decided by the exporters. The
// rules only join what several exporters say, and keep for an hour what an exporter said that can't be scraped. None reads
// the result of another, or its own, so that the order of evaluation does not matter.
func recordings() []recording {
	return []recording{
		{"servicegroup:members_down", `min by (cluster, source, group) (
  (
    servicegroup_members_down{ours}
    or last_over_time(servicegroup_members_down{ours}[1h]) unless on (cluster, job, instance) up{job} == 1
  )
  and on (cluster, job, instance, source, group) ` + voters + `
)`},
		{"servicegroup:members_in_service", `max by (cluster, source, group) (
  (
    servicegroup_members_in_service{ours}
    or last_over_time(servicegroup_members_in_service{ours}[1h]) unless on (cluster, job, instance) up{job} == 1
  )
  and on (cluster, job, instance, source, group) ` + voters + `
)`},
	}
}

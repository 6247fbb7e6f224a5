package sites

import (
	"fmt"
	"strings"
	"testing"
)

// Rules and alerts are the same if metric_relabel_configs drop series that are not about decisions.
func TestDroppedSeries(t *testing.T) {
	t.Parallel()
	c := newCloud(t, "nova", "")
	relabel := map[string]string{
		"all":        "",
		"no_info":    `{source_labels: [__name__], regex: ".+_info", action: drop}`,
		"no_verdict": `{source_labels: [__name__], regex: "service_up", action: drop}`,
		"decisions":  `{source_labels: [__name__], regex: "` + strings.Join(decisions, "|") + `", action: keep}`,
	}
	var jobs strings.Builder
	for name, config := range relabel {
		fmt.Fprintf(&jobs, "  - job_name: %s\n    honor_labels: true\n    relabel_configs: [{target_label: job, replacement: servicegroup_exporter}]\n"+
			"    metric_relabel_configs: [%s]\n    static_configs: [%s]\n", name, config, target(c, name))
	}
	rules := c.rules("time() - 300", "time() - 1", "time() - 86400", "time() - 1") // How long a member is disabled before there is an alert.
	p := newPrometheus(t, fmt.Sprintf("rule_files: [%q]\nscrape_configs:\n%s", rules, jobs.String()))
	p.ready(len(relabel))
	c.run("UPDATE members SET off = 1, reason = 'AUTO: no libvirt' WHERE host = 'c2'")
	c.run("UPDATE members SET off = 1, reason = 'rack 7' WHERE host = 'c3'")
	c.die("c1", "c2", "c3", "s1", "s2")
	var want []string
	for name := range relabel {
		for _, alert := range []string{
			"Degraded compute", "Degraded scheduler", "MemberAutoDisabled compute c2", "MemberDisabledLong compute c3", "MemberDown compute c1",
			"MemberDown compute c2", "MemberDown scheduler s1", "MemberDown scheduler s2", "Outage scheduler",
		} {
			want = append(want, name+" "+alert)
		}
	}
	p.stays(sorted(want)...)
	c.exporter.Kill()
	for name := range relabel {
		want = append(want, name+" DataMissing compute", name+" DataMissing scheduler", name+" ExporterAllDown")
	}
	p.stays(sorted(want)...)
}

// decisions are the series that alerts about members, groups and sources need.
var decisions = []string{
	"servicegroup_member_down", "servicegroup_member_down_since_timestamp_seconds", "servicegroup_members_down", "servicegroup_members_in_service", "servicegroup_group_known",
	"servicegroup_group_last_known_timestamp_seconds", "servicegroup_member_disabled_timestamp_seconds", "servicegroup_member_flapping",
	"servicegroup_member_heartbeat_ahead_seconds", "servicegroup_source_.+", "servicegroup_label_check",
}

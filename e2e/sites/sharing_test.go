package sites

import (
	"fmt"
	"strings"
	"testing"
)

// Two configurations share a Prometheus: other sources, other labels and thresholds. Each alert follows its own configuration.
func TestTwoConfigurations(t *testing.T) {
	t.Parallel()
	a := newCloud(t, "nova-a", "alerting: {labels: {team: a}, groups: [{group: compute, min_members: 4}]}\n")
	b := newCloud(t, "nova-b", "alerting: {labels: {team: b}, groups: [{group: compute, degraded_ratio: 0.9}]}\n")
	p := newPrometheus(t, shared(a, b))
	p.ready(2)
	p.waitForAlerts()
	b.die("c1", "c2") // Below its minimum and degraded, if this were nova-a.
	p.waitForAlerts("MemberDown compute c1", "MemberDown compute c2")
	p.teams("b", "b")
	a.die("c3")
	p.stays("BelowMinimum compute", "MemberDown compute c1", "MemberDown compute c2", "MemberDown compute c3")
	p.teams("a", "a", "b", "b")
}

// Two configurations of sources with the same name differ by the label of the cloud, which each names in its selector.
func TestTwoConfigurationsOfOneSourceName(t *testing.T) {
	t.Parallel()
	const settings = "alerting: {selector: 'source=\"nova\", cluster=%q', labels: {team: %[1]s}, groups: [{group: compute, %s}]}\n"
	a := newCloud(t, "nova", fmt.Sprintf(settings, "a", "min_members: 4"))
	b := newCloud(t, "nova", fmt.Sprintf(settings, "b", "degraded_ratio: 0.9"))
	p := newPrometheus(t, shared(a, b))
	p.ready(2)
	p.waitForAlerts()
	b.die("c1", "c2")
	p.waitForAlerts("b MemberDown compute c1", "b MemberDown compute c2")
	p.teams("b", "b")
	a.die("c1")
	p.stays("a BelowMinimum compute", "a MemberDown compute c1", "b MemberDown compute c1", "b MemberDown compute c2")
	p.teams("a", "a", "b", "b")
}

// shared returns a configuration with the rules and targets of two clouds. The targets have a label if the selector needs it.
func shared(a, b *cloud) string {
	text := fmt.Sprintf("rule_files: [%q, %q]\nscrape_configs:\n  - {job_name: servicegroup_exporter, honor_labels: true, static_configs: [", a.rules(), b.rules())
	if a.source == b.source {
		text += target(a, "a") + "," + target(b, "b")
	} else {
		text += fmt.Sprintf("{targets: [%q, %q]}", a.web, b.web)
	}
	return text + "]}\n"
}

// teams waits until the alerts have these values of the label "team", without the watchdogs.
func (p *prometheus) teams(want ...string) {
	p.Helper()
	p.eventually("teams", want, func() (got []string) {
		for _, a := range p.Alerts() {
			if !strings.HasSuffix(a.Labels["alertname"], "Watchdog") {
				got = append(got, a.Labels["team"])
			}
		}
		return sorted(got)
	})
}

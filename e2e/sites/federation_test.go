package sites

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A Prometheus that federates raw and recorded series of another one, and evaluates the same rules, counts no member twice.
func TestFederation(t *testing.T) {
	t.Parallel()
	c := newCloud(t, "nova", "")
	rules := c.rules()
	leaf := newPrometheus(t, scrapeJob(rules, target(c, "a")))
	leaf.ready(1)
	// The labels of the leaf's results differ from those that the global Prometheus records, because of "replica".
	leaf.Reload("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {replica: leaf}}\n" + scrapeJob(rules, target(c, "a")))
	global := newPrometheus(t, fmt.Sprintf(`rule_files: [%q]
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {"match[]": ['{job="servicegroup_exporter"}', '{__name__=~"servicegroup:.+"}']}
    static_configs: [{targets: [%q]}]
`, rules, leaf.Addr()))
	global.waitFor(`count(servicegroup:members_in_service{group="compute"})`, 2) // Its own, and the leaf's.
	for _, p := range []*prometheus{leaf, global} {
		p.waitForAlerts()
	}
	c.die("c1")
	for _, p := range []*prometheus{leaf, global} {
		p.stays("a MemberDown compute c1")
		require.Equal(t, 1.0, p.value(`max(servicegroup:members_down)`))
		require.Equal(t, 4.0, p.value(`max(servicegroup:members_in_service)`))
	}
	c.die("s1", "s2")
	want := []string{"a Degraded scheduler", "a MemberDown compute c1", "a MemberDown scheduler s1", "a MemberDown scheduler s2", "a Outage scheduler"}
	for _, p := range []*prometheus{leaf, global} {
		p.stays(want...)
	}
	// Nobody sees a federated copy of an exporter that is away as one that is there.
	c.exporter.Kill()
	for _, p := range []*prometheus{leaf, global} {
		p.stays(sorted(append([]string{"a DataMissing compute", "a DataMissing scheduler", "a ExporterAllDown"}, want...))...)
	}
}

// A shard without a target, with the settings that docs/operations.md names, has no alert. With the default settings it has.
func TestShardWithoutTarget(t *testing.T) {
	t.Parallel()
	sharded := newCloud(t, "nova", "alerting: {omit_alerts: [ServiceGroupExporterAbsent, ServiceGroupExporterAllDown, ServiceGroupExporterDown, "+
		"ServiceGroupDataMissing, ServiceGroupWatchdog]}\n")
	const noTarget = "rule_files: [%q]\n"
	quiet := newPrometheus(t, fmt.Sprintf(noTarget, sharded.rules()))
	loud := newPrometheus(t, fmt.Sprintf(noTarget, newCloud(t, "nova", "").rules()))
	loud.stays("ExporterAbsent")
	quiet.evaluate()
	require.Empty(t, quiet.Alerts()) // This includes the watchdog.
	require.Len(t, loud.Alerts(), 2)

	// A shard with a target still reports deaths.
	quiet.Reload(everySecond("", scrapeJob(sharded.rules(), target(sharded, "a"))))
	quiet.ready(1)
	sharded.die("c1")
	quiet.stays("a MemberDown compute c1")
	sharded.exporter.Kill()
	quiet.stays("a MemberDown compute c1")
}

// A job of another name is reported, and nothing claims that the exporter is absent. With alerting.job, all is as usual.
func TestJobOfAnotherName(t *testing.T) {
	t.Parallel()
	const job = "rule_files: [%q]\nscrape_configs: [{job_name: openstack-exporters, honor_labels: true, static_configs: [%s]}]\n"
	c, named := newCloud(t, "nova", ""), newCloud(t, "nova", "alerting: {job: openstack-exporters}\n")
	p, right := newPrometheus(t, fmt.Sprintf(job, c.rules(), target(c, "a"))), newPrometheus(t, fmt.Sprintf(job, named.rules(), target(named, "a")))
	for _, prom := range []*prometheus{p, right} {
		prom.ready(1)
	}
	c.die("c1")
	named.die("c1")
	p.stays("a JobMismatch", "a MemberDown compute c1")
	right.stays("a MemberDown compute c1")
	named.exporter.Kill()
	right.stays("a DataMissing compute", "a DataMissing scheduler", "a ExporterAllDown", "a MemberDown compute c1")
}

// Native histograms, which have no series of buckets, fire the same alert about slow detection.
func TestNativeHistograms(t *testing.T) {
	t.Parallel()
	programs := map[string]string{"": ""} // Debian's, which has only classic ones by default
	if *all {
		program := testserver.Built(t, "prometheus")
		programs["scrape_native_histograms: true"] = program
		programs["scrape_native_histograms: true, always_scrape_classic_histograms: true"] = program
		programs["scrape_native_histograms: false"] = program
	}
	for setting, program := range programs {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, "nova", "")
			text := fmt.Sprintf("rule_files: [%q]\nscrape_configs:\n  - {job_name: servicegroup_exporter, honor_labels: true, static_configs: [%s], %s}\n",
				c.rules(), target(c, "a"), setting)
			var p *prometheus
			if program == "" {
				p = newPrometheus(t, text)
			} else {
				p = &prometheus{t, testserver.PrometheusAt(t, program, everySecond("", text))}
			}
			p.ready(1)
			for _, host := range []string{"c1", "c2", "c3", "c4"} { // They were silent for much longer than the heartbeat timeout.
				c.dieLate(host)
			}
			p.waitForAlerts("a Degraded compute", "a DetectionSlow", "a MemberDown compute c1", "a MemberDown compute c2",
				"a MemberDown compute c3", "a MemberDown compute c4", "a Outage compute")
		})
	}
}

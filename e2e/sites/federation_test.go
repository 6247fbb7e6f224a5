package sites

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Prometheus that federates raw and recorded series of another one, and evaluates the same rules, counts no member twice.
func testFederation(t *testing.T) {
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
		p.waitFor(`max(servicegroup:members_down)`, 1)
		p.waitFor(`max(servicegroup:members_in_service)`, 4)
	}
	c.die("s1", "s2")
	want := []string{"a Degraded scheduler", "a MemberDown compute c1", "a MemberDown scheduler s1", "a MemberDown scheduler s2", "a Outage scheduler"}
	for _, p := range []*prometheus{leaf, global} {
		p.stays(want...)
	}
	c.exporter.Kill()
	leaf.stays(sorted(append([]string{"a DataMissing compute", "a DataMissing scheduler", "a ExporterAllDown"}, want...))...)
	// Federated series have times, so that Prometheus reads their last values for five minutes: the data is not missing yet.
	global.stays(sorted(append([]string{"a ExporterAllDown"}, want...))...)
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

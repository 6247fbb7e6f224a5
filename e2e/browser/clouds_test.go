package browser

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// clouds are two clouds with the same names. In a, two exporters read a table of 500 members, and a ZooKeeper that can't be read; they
// post alerts.
type clouds struct {
	t     *testing.T
	began time.Time // when Prometheus had scraped all
	table *table    // of cloud a
	dead  *table    // of cloud b
	pair  [2]*exporter
	other *exporter
	prom  *testserver.Prom
}

// scraped is the scrape interval.
const scraped = 2 * time.Second

func newClouds(t *testing.T) *clouds {
	t.Helper()
	c := &clouds{t: t, table: cloudTable(t, 245), dead: cloudTable(t, 20)}
	c.table.run("UPDATE members SET off = 1, reason = 'disk swap, CHG-1182' WHERE host = 'compute-0031.cloud.example.com'")
	am := testserver.Alertmanager(t, inhibiting)
	alerts := fmt.Sprintf(`
alerting:
  alertmanagers: [{url: %q}]
  external_url: https://exporter.example.com
  scrape_interval: 2s
  evaluation_interval: 2s
`, am.URL())
	unreadable := `
  - name: heat
    driver: zk
    poll_interval: 1s
    zk: {servers: ["127.0.0.1:9"]}
`
	sources := func(s *table) string { return configuration(s.source("nova", 5*time.Second, time.Second)) }
	c.pair[0] = serve(t, sources(c.table)+unreadable+alerts)
	c.pair[1] = serve(t, sources(c.table)+unreadable+alerts)
	c.other = serve(t, sources(c.dead)+alerts)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	text, err := exec.Command(program, "rules", "--config.file="+c.pair[0].config).Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rules, text, 0o600))
	c.prom = testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: %s, evaluation_interval: %[1]s}
rule_files: [%q]
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs:
      - {targets: [%q, %q], labels: {cluster: a}}
      - {targets: [%q], labels: {cluster: b}}
  - job_name: node # Targets with the names of two machines, one of which answers.
    static_configs:
      - {targets: [%q], labels: {cluster: a, instance: "compute-0101.cloud.example.com:9100"}}
      - {targets: ["127.0.0.1:9"], labels: {cluster: a, instance: "compute-0007.cloud.example.com:9100"}}
`, scraped, rules, c.pair[0].address, c.pair[1].address, c.other.address, am.Addr()))
	await(t, c.prom, `count(servicegroup_reporting_interval_seconds{quantile="1", group="compute"}) == 3`)
	c.began = time.Now()
	return c
}

// cloudTable has machines with two services each, and controllers.
func cloudTable(t *testing.T, machines int) *table {
	t.Helper()
	s := newTable(t)
	for i := range machines {
		host, zone := fmt.Sprintf("compute-%04d.cloud.example.com", i+1), fmt.Sprintf("az-%d", i%3+1)
		s.add("compute", host, "nova-compute", zone)
		s.add("agent", host, "neutron-openvswitch-agent", zone)
	}
	for i := range 3 {
		s.add("conductor", fmt.Sprintf("controller-%d.cloud.example.com", i+1), "nova-conductor", "internal")
		s.add("scheduler", fmt.Sprintf("controller-%d.cloud.example.com", i+1), "nova-scheduler", "internal")
	}
	s.beat()
	return s
}

// outage lets machines and single members die, of which some recover, and the scheduler of the other cloud.
func (c *clouds) outage() {
	t := c.t
	kill := func(s *table, where string) { s.run("UPDATE members SET alive = 0 WHERE " + where) }
	kill(c.table, "host IN ('compute-0007.cloud.example.com', 'compute-0230.cloud.example.com')")
	await(t, c.prom, `sum(max by (group) (servicegroup_members_down{cluster="a"})) == 4`)
	c.table.run("UPDATE members SET alive = 1 WHERE host = 'compute-0230.cloud.example.com'")
	await(t, c.prom, `sum(max by (group) (servicegroup_members_down{cluster="a"})) == 2`)
	kill(c.table, "host = 'compute-0101.cloud.example.com' AND pool = 'compute'")
	kill(c.dead, "pool = 'scheduler'")
	kill(c.table, "host = 'compute-0031.cloud.example.com' AND pool = 'compute'") // It is disabled.
	await(t, c.prom, `sum(max by (group) (servicegroup_members_down{cluster="a"})) == 3 and on () sum(servicegroup_members_down{cluster="b"}) == 3`)
	require.NoError(t, syscall.Kill(c.pair[0].process.Pid(), syscall.SIGHUP))
	await(t, c.prom, `count(servicegroup_host_up{cluster="a"} == 0) == 2`)
	await(t, c.prom, `ALERTS{alertname="ServiceGroupMemberDown", alertstate="firing"}`)
	await(t, c.prom, `ALERTS{alertname="ServiceGroupOutage", alertstate="firing"}`)
}

// picked returns the variables that are not at their default.
func (c *clouds) picked(board string) url.Values {
	if board != "group" {
		return url.Values{}
	}
	return url.Values{"cluster": {"a"}, "source": {"nova"}, "group": {"compute"}, "member": {"compute-0007.cloud.example.com"}}
}

package docs_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// oldSeries is how openstack-exporter shows the agents of TestMigrate.
const oldSeries = `openstack_nova_agent_state{adminState="enabled",disabledReason="",hostname="compute-1",id="3f0e",service="nova-compute",zone="az1"} 1
openstack_nova_agent_state{adminState="enabled",disabledReason="",hostname="compute-2",id="b2c7",service="nova-compute",zone="az1"} 0
openstack_nova_agent_state{adminState="disabled",disabledReason="rack 7",hostname="compute-3",id="91aa",service="nova-compute",zone="az1"} 1
openstack_nova_up 1
`

// The page about migration is followed beside an openstack-exporter. Each pair of expressions on it gives the same hosts, and rules as
// openstack-exporter's chart has them fire.
func TestMigrate(t *testing.T) {
	s := newSite(t)
	var old atomic.Value
	old.Store(oldSeries)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, old.Load()) }))
	t.Cleanup(server.Close)
	s.agents(t)
	rules := filepath.Join(s.dir, "etc/prometheus/rules/openstack.yml")
	require.NoError(t, os.MkdirAll(filepath.Dir(rules), 0o755))
	require.NoError(t, os.WriteFile(rules, []byte(chartRules()), 0o644))
	prometheus := testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 300ms, evaluation_interval: 300ms}
rule_files: [%s]
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs: [{targets: [%q]}]
    metric_relabel_configs:
      - {source_labels: [__name__, service], regex: "openstack_.*;(.+)", target_label: exported_service}
  - job_name: openstack-exporter
    honor_labels: true
    static_configs: [{targets: [%q]}]
`, rules, s.address, server.Listener.Addr()))
	const differ = `openstack_nova_agent_state{job="openstack-exporter"} != on (hostname, service) openstack_nova_agent_state{job="servicegroup_exporter"}`
	testserver.Eventually(t, func() bool { return len(prometheus.Query("openstack_nova_agent_state")) == 6 }, patience, 100*time.Millisecond, "both are scraped")

	s.others = append(s.others, "localhost:9090", prometheus.Addr(), "/etc/prometheus", filepath.Dir(filepath.Dir(rules)))
	s.follow(t, "migrate.md", 3)
	page, err := os.ReadFile("migrate.md")
	require.NoError(t, err)
	require.Contains(t, string(page), differ)
	old.Store(strings.Replace(oldSeries, `zone="az1"} 0`, `zone="az1"} 1`, 1))
	testserver.Eventually(t, func() bool { return len(prometheus.Query(differ)) == 1 }, patience, 100*time.Millisecond, "the two disagree")

	pairs := regexp.MustCompile("(?m)^\\| `(openstack_[^`]+[01\"][^`]*)` \\| `([^`]+)` \\|$").FindAllStringSubmatch(string(page), -1)
	require.Len(t, pairs, 6)
	for _, pair := range pairs {
		theirs := strings.Replace(pair[1], "_agent_state", `_agent_state{job="servicegroup_exporter"}`, 1)
		theirs = strings.Replace(theirs, "}{", ", ", 1)
		want := labels(prometheus.Query(theirs), "hostname")
		require.NotEmpty(t, want, theirs)
		require.Equal(t, want, labels(prometheus.Query(pair[2]), "member"), pair[0])
	}

	require.Equal(t, []string{
		"CinderAgentDisabled v2 cinder-volume", "CinderAgentDown v1 cinder-volume", "NeutronAgentDisabled n1 neutron-l3-agent",
		"NeutronAgentDown n2 neutron-l3-agent", "NovaAgentDisabled compute-3 nova-compute", "NovaAgentDown compute-2 nova-compute",
	}, firingOf(prometheus))
	s.database.Stop()
	testserver.Eventually(t, func() bool {
		return slices.Equal(firingOf(prometheus), []string{"CinderDown  ", "NeutronDown  ", "NovaDown  "})
	}, patience, 100*time.Millisecond, "no service can be read")
}

// agents starts an exporter that reads agents of three services: of each one is down and one is disabled.
func (s *site) agents(t *testing.T) {
	t.Helper()
	for name, age := range map[string]time.Duration{"compute-1": 0, "compute-2": 2 * time.Hour, "compute-3": 0} {
		s.member(t, "compute", name, age)
	}
	s.sql(t, `
		UPDATE services SET uuid = '3f0e' WHERE host = 'compute-1';
		UPDATE services SET uuid = 'b2c7' WHERE host = 'compute-2';
		UPDATE services SET uuid = '91aa', disabled = 1, disabled_reason = 'rack 7' WHERE host = 'compute-3'`)
	config := s.source()
	for service, rows := range map[string]string{
		"cinder": "INSERT INTO services (created_at, updated_at, host, `binary`, topic, report_count, disabled, deleted) VALUES " +
			"(NOW(), UTC_TIMESTAMP() - INTERVAL 2 HOUR, 'v1', 'cinder-volume', 'cinder-volume', 1, 0, 0), " +
			"(NOW(), UTC_TIMESTAMP(), 'v2', 'cinder-volume', 'cinder-volume', 1, 1, 0)",
		"neutron": "INSERT INTO agents (id, agent_type, `binary`, topic, host, admin_state_up, created_at, started_at, heartbeat_timestamp, configurations) VALUES " +
			"('a', 'L3 agent', 'neutron-l3-agent', 'l3', 'n1', 0, NOW(), NOW(), UTC_TIMESTAMP(), '{}'), " +
			"('b', 'L3 agent', 'neutron-l3-agent', 'l3', 'n2', 1, NOW(), NOW(), UTC_TIMESTAMP() - INTERVAL 2 HOUR, '{}')",
	} {
		db := s.database.Open(t, service)
		table, err := os.ReadFile("../drivers/db/testdata/" + service + ".sql")
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), string(table)+rows)
		require.NoError(t, err)
		config = strings.Replace(config, "}]\n", fmt.Sprintf("}, {name: %s, driver: db, poll_interval: 200ms, db: {dsn: %q, schema: %s, service_down_time: 1h}}]\n",
			service, "mysql://root@"+s.database.Addr()+"/"+service, service), 1)
	}
	s.serve(t, config, "--compat.openstack-exporter")
}

// chartRules returns rules about agents with the names and expressions of openstack-exporter's chart, without their delays, and one
// about each service.
func chartRules() string {
	var b strings.Builder
	b.WriteString("groups:\n- name: openstack-exporter\n  rules:\n")
	for _, s := range []struct{ name, service, enabled string }{
		{"Nova", "nova", "enabled"}, {"Cinder", "cinder", "enabled"}, {"Neutron", "neutron", "up"},
	} {
		fmt.Fprintf(&b, "  - {alert: %sAgentDown, expr: 'openstack_%s_agent_state{job!=\"openstack-exporter\"} != 1'}\n", s.name, s.service)
		fmt.Fprintf(&b, "  - {alert: %sAgentDisabled, expr: 'openstack_%s_agent_state{adminState!=%q, job!=\"openstack-exporter\"}'}\n", s.name, s.service, s.enabled)
		fmt.Fprintf(&b, "  - {alert: %sDown, expr: 'openstack_%s_up{job!=\"openstack-exporter\"} == 0'}\n", s.name, s.service)
	}
	return b.String()
}

// firingOf returns the alerts that fire, each with its host and the label that the chart's annotations have.
func firingOf(prometheus *testserver.Prom) []string {
	var all []string
	for _, a := range prometheus.Alerts() {
		all = append(all, a.Labels["alertname"]+" "+a.Labels["hostname"]+" "+a.Labels["exported_service"])
	}
	slices.Sort(all)
	return all
}

// labels returns the sorted values of a label.
func labels(samples []testserver.Sample, label string) []string {
	var all []string
	for _, s := range samples {
		all = append(all, s.Labels[label])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

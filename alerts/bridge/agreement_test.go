package bridge

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// agreementConfig sets everything that changes labels or conditions.
const agreementConfig = `
external_labels: {cluster: prod, replica: a, team: other, empty: ""}
labels: {team: cloud, prometheus_replica: b}
host_label: node
severities: {ServiceGroupDegraded: warning, ServiceGroupMemberDown: info}
external_url: https://exporter.example.com/sg
groups:
  - {group: g1, severity: critical, suspected_severity: critical, min_members: 2}
  - {source: nova, group: g2, min_members: 3, degraded_ratio: 0.5}
  - {source: s1, group: not there, min_members: 1}
  - {source: s2, group: 'a "b" $1 €\', severity: none, degraded_ratio: 0.3, min_members: 4}
  - {source: s3, group: 'a "b" $1 €\', degraded_ratio: 1}
  - {source: '{{ $labels.member }} "s" \', group: g2, severity: warning, min_members: 1}
`

// TestRulesAndBridgeAgree compares the alerts that Prometheus posts to Alertmanager with those that the bridge would post:
// which alerts there are, all labels, and all annotations.
func TestRulesAndBridgeAgree(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	c := config.DefaultAlerting()
	require.NoError(t, yaml.Unmarshal([]byte(agreementConfig), &c))
	require.NoError(t, c.Validate())
	sources := []string{"nova", "nova/cell1", "nova2", `{{ $labels.member }} "s" \`, "a&b=c d+e%41/?#", "ü €"}
	for i := range 30 {
		sources = append(sources, fmt.Sprintf("s%d", i))
	}
	snapshots, page := populate(t, &c, sources, []string{"g1", "g2", `a "b" $1 €\`, "{{ .Value }}"})

	holdOf := map[string]time.Duration{}
	for _, r := range alerts.Rules(&c) {
		holdOf[r.Alert] = time.Duration(r.For)
	}
	builder := alerts.NewBuilder(&c)
	want := map[string]content{}
	posted := map[string]int{}
	for id, holds := range evaluate(snapshots, builder) {
		a := builder.Build(id, holds.facts)
		want[key(a.Labels)] = content{a.Labels, a.Annotations} // The generator's URL differs.
		posted[id.Alert]++
		if holds.hold > 0 {
			require.Equal(t, holdOf[a.Labels["alertname"]], holds.hold, "the rule waits for as long")
		}
	}
	for _, name := range []string{alerts.ZoneDown, alerts.HostDown, alerts.MemberDown, alerts.MemberSuspected, alerts.Degraded, alerts.Outage, alerts.BelowMinimum, alerts.MassFailure, alerts.SourceProblem} {
		require.NotZero(t, posted[name], "no %s in the test data", name)
	}

	received := newHTTPReceiver(t)
	startPrometheus(t, &c, page, received.server.Listener.Addr().String())
	require.Eventually(t, func() bool { return len(received.all()) > 0 }, patience, 50*time.Millisecond)
	received.waitForEvaluations(t, 3) // All series are scraped at once, so that no alert fires later.
	got := received.all()
	for k, a := range want {
		rule, ok := got[k]
		require.True(t, ok, "only the bridge has %v", a.Labels)
		require.Equal(t, rule, a)
	}
	for k, a := range got {
		_, ok := want[k]
		require.True(t, ok, "only the rules have %v", a.Labels)
	}
}

// content is what rules and bridge have to agree on.
type content struct{ Labels, Annotations map[string]string }

// startPrometheus starts a Prometheus that scrapes one page, with the rules of a configuration but without their "for".
func startPrometheus(t *testing.T, c *config.Alerting, page, alertmanager string) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) }))
	t.Cleanup(target.Close)
	rules := alerts.Rules(c)
	for i := range rules {
		rules[i].For = 0
	}
	text, err := yaml.Marshal(ruleFile(rules))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(file, text, 0o666))
	external, err := json.Marshal(c.ExternalLabels)
	require.NoError(t, err)
	testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: %s}
rule_files: [%s]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica|prometheus_replica}]
  alertmanagers: [{static_configs: [{targets: [%q]}]}]
scrape_configs: [{job_name: servicegroup_exporter, honor_labels: true, static_configs: [{targets: [%q]}]}]
`, external, file, alertmanager, target.Listener.Addr()), "--rules.alert.resend-delay=1s")
}

// ruleFile returns the content of a file with rules in one group.
func ruleFile(rules []alerts.Rule) any {
	type group struct {
		Name  string        `yaml:"name"`
		Rules []alerts.Rule `yaml:"rules"`
	}
	return map[string][]group{"groups": {{"servicegroup", rules}}}
}

// An httpReceiver is an Alertmanager that keeps the alerts that the bridge posts too.
type httpReceiver struct {
	server *httptest.Server

	mu       sync.Mutex
	alerts   map[string]content
	watchdog int
}

func newHTTPReceiver(t *testing.T) *httpReceiver {
	r := &httpReceiver{alerts: map[string]content{}}
	r.server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.server.Close)
	return r
}

func (r *httpReceiver) receive(w http.ResponseWriter, request *http.Request) {
	var posts []content
	if err := json.NewDecoder(request.Body).Decode(&posts); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range posts {
		if name := alerts.BaseName(a.Labels["alertname"]); alerts.IsPosted(name) {
			r.alerts[key(a.Labels)] = a
		} else if name == "ServiceGroupWatchdog" {
			r.watchdog++
		}
	}
}

func (r *httpReceiver) all() map[string]content {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.alerts)
}

// waitForEvaluations waits until the watchdog, which always fires, was posted n more times.
func (r *httpReceiver) waitForEvaluations(t *testing.T, n int) {
	count := func() int { r.mu.Lock(); defer r.mu.Unlock(); return r.watchdog }
	before := count()
	require.Eventually(t, func() bool { return count() >= before+n }, patience, 50*time.Millisecond)
}

// key returns a text that is equal for equal labels.
func key(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(pairs)
	return fmt.Sprint(pairs)
}

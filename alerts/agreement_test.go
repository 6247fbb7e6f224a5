package alerts

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
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

	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// patience bounds what a test waits for, on a busy machine with few cores.
const patience = 60 * time.Second

// agreeing is a configuration with everything that changes labels or conditions.
const agreeing = `
external_labels: {cluster: prod, replica: a, team: nobody, empty: ""}
labels: {team: cloud, prometheus_replica: b}
host_label: node
severities: {ServiceGroupDegraded: warning, ServiceGroupMemberDown: info}
external_url: https://exporter.example.com/sg
groups:
  - {group: g1, severity: critical, min_members: 2}
  - {source: nova, group: g2, min_members: 3, degraded_ratio: 0.5}
  - {source: s1, group: not there, min_members: 1}
  - {source: s2, group: 'a "b" $1 €\', severity: none, degraded_ratio: 0.3, min_members: 4}
  - {source: s3, group: 'a "b" $1 €\', degraded_ratio: 1}
  - {source: '{{ $labels.member }} "s" \', group: g2, severity: warning, min_members: 1}
`

// TestRulesAndBridgeAgree compares what Prometheus posts to Alertmanager with what the bridge would: which alerts there
// are, all labels, and all annotations.
func TestRulesAndBridgeAgree(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	c := config.DefaultAlerting()
	require.NoError(t, yaml.Unmarshal([]byte(agreeing), &c))
	require.NoError(t, c.Validate())
	sources := []string{"nova", "nova/cell1", "nova2", `{{ $labels.member }} "s" \`, "a&b=c d+e%41/?#", "ü €"}
	for i := range 30 {
		sources = append(sources, fmt.Sprintf("s%d", i))
	}
	people := populate(rand.New(rand.NewPCG(2026, 11)), sources, []string{"g1", "g2", `a "b" $1 €\`, "{{ .Value }}"})

	builder := NewBuilder(&c)
	want := map[string]Posted{}
	posted := map[string]int{}
	for _, id := range people.alerts(builder) {
		p := builder.Write(id)
		p.GeneratorURL = "" // Each sender's own.
		want[key(p.Labels)] = p
		posted[id.Alert]++
	}
	for _, name := range []string{MemberDown, Degraded, Outage, BelowMinimum, MassFailure} {
		require.NotZero(t, posted[name], "nobody suffers from %s", name)
	}

	received := newReceiver(t)
	startPrometheus(t, &c, people.metrics(), received.server.Listener.Addr().String())
	require.Eventually(t, func() bool { return len(received.all()) > 0 }, patience, 50*time.Millisecond)
	received.waitForEvaluations(t, 3) // The page is scraped at once: there is nothing that fires later.
	got := received.all()
	for k, p := range want {
		rule, ok := got[k]
		require.True(t, ok, "only the bridge has %v", p.Labels)
		require.Equal(t, rule, p)
	}
	for k, p := range got {
		_, ok := want[k]
		require.True(t, ok, "only the rules have %v", p.Labels)
	}
}

// startPrometheus starts a Prometheus with rules that fire at once, which scrapes one page.
func startPrometheus(t *testing.T, c *config.Alerting, page, alertmanager string) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) }))
	t.Cleanup(target.Close)
	rules := Rules(c)
	for i := range rules {
		rules[i].For = 0
	}
	text, err := encode(groupsFile{[]ruleFile{{ruleGroup, rules}}})
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
scrape_configs: [{job_name: servicegroup_exporter, static_configs: [{targets: [%q]}]}]
`, external, file, alertmanager, target.Listener.Addr()), "--rules.alert.resend-delay=1s")
}

// A receiver takes what Prometheus posts to Alertmanager, and keeps what the bridge posts too.
type receiver struct {
	server *httptest.Server

	mu       sync.Mutex
	alerts   map[string]Posted
	watchdog int
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{alerts: map[string]Posted{}}
	r.server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) receive(w http.ResponseWriter, request *http.Request) {
	var posts []Posted
	if err := json.NewDecoder(request.Body).Decode(&posts); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range posts {
		p.GeneratorURL = ""
		if name := p.Labels["alertname"]; IsPosted(name) {
			r.alerts[key(p.Labels)] = p
		} else if name == "ServiceGroupWatchdog" {
			r.watchdog++
		}
	}
}

func (r *receiver) all() map[string]Posted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.alerts)
}

// waitForEvaluations waits until the alert that always fires has come so many times more.
func (r *receiver) waitForEvaluations(t *testing.T, n int) {
	count := func() int { r.mu.Lock(); defer r.mu.Unlock(); return r.watchdog }
	before := count()
	require.Eventually(t, func() bool { return count() >= before+n }, patience, 50*time.Millisecond)
}

// key is the same for the same labels.
func key(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(pairs)
	return fmt.Sprint(pairs)
}

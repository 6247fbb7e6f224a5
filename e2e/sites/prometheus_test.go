package sites

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A prometheus scrapes and evaluates each second.
type prometheus struct {
	*testing.T
	*testserver.Prom
}

// newPrometheus starts Debian's Prometheus. The text has its scrape jobs and other sections.
func newPrometheus(t *testing.T, text string) *prometheus {
	t.Helper()
	return &prometheus{t, testserver.Prometheus(t, everySecond("", text), "--rules.alert.resend-delay=1s")}
}

// newPrometheusOf starts a Prometheus with an external label "cluster".
func newPrometheusOf(t *testing.T, cluster, text string) *prometheus {
	t.Helper()
	return &prometheus{t, testserver.Prometheus(t, everySecond(cluster, text), "--rules.alert.resend-delay=1s")}
}

// everySecond adds the global section. An empty external label is no label.
func everySecond(cluster, text string) string {
	return fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {cluster: %q}}\n", cluster) + text
}

// scrapeJob returns a configuration with the rules and one job. Targets are YAML, as in static_configs.
func scrapeJob(rules, targets string) string {
	return fmt.Sprintf(`rule_files: [%q]
scrape_configs:
  - {job_name: servicegroup_exporter, honor_labels: true, static_configs: [%s]}
`, rules, targets)
}

// target is an element of static_configs with a label "cluster".
func target(c *cloud, cluster string) string {
	return fmt.Sprintf("{targets: [%q], labels: {cluster: %s}}", c.web, cluster)
}

// value returns the value of an expression; -1: it has no result.
func (p *prometheus) value(expr string) float64 {
	p.Helper()
	samples := p.Query(expr)
	if len(samples) == 0 {
		return -1
	}
	return samples[0].Value
}

// waitFor waits until an expression has a value.
func (p *prometheus) waitFor(expr string, want float64) {
	p.Helper()
	var got float64
	testserver.Eventually(p, func() bool { got = p.value(expr); return got == want }, patience, pause, "%s is %g", expr, want)
}

// ready waits until the rules have seen all members of a number of clouds.
func (p *prometheus) ready(clouds int) {
	p.Helper()
	p.waitFor(`sum(servicegroup:members_in_service)`, float64(6*clouds))
	p.evaluate()
}

// evaluate waits for the end of an evaluation that began after now.
func (p *prometheus) evaluate() {
	p.Helper()
	now := float64(time.Now().UnixMilli()) / 1000
	expr := fmt.Sprintf("max(timestamp(evaluated)) > %.3f", now)
	testserver.Eventually(p, func() bool { return p.value(expr) > 0 }, patience, pause, "an evaluation after %.3f", now)
}

// alerts returns the alerts that are pending or firing, without the watchdog, each as "a MemberDown compute c1". It does not
// distinguish the two states, because that depends on the speed of the machine.
func (p *prometheus) alerts() []string {
	p.Helper()
	var list []string
	for _, a := range p.Alerts() {
		if a.Labels["alertname"] != "ServiceGroupWatchdog" {
			list = append(list, describe(a.Labels))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func describe(labels map[string]string) string {
	words := []string{labels["cluster"], strings.TrimPrefix(labels["alertname"], "ServiceGroup"), labels["group"], labels["member"], labels["label"]}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// waitForAlerts waits until exactly these alerts are pending or firing.
func (p *prometheus) waitForAlerts(want ...string) {
	p.Helper()
	p.eventually("alerts", want, p.alerts)
}

// stays checks for some evaluations that exactly these alerts are pending or firing.
func (p *prometheus) stays(want ...string) {
	p.Helper()
	p.waitForAlerts(want...)
	for range 3 {
		p.evaluate()
		require.Equal(p, want, p.alerts())
	}
}

// eventually waits until a list is as wanted.
func (p *prometheus) eventually(what string, want []string, list func() []string) {
	p.Helper()
	slices.Sort(want)
	var got []string
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		if got = list(); slices.Equal(want, got) {
			return
		}
		require.True(p, time.Now().Before(end), "%s: want %q, got %q", what, want, got)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }

package testserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// deathRule fires while the metric below is 0.
const deathRule = `groups:
  - name: test
    rules:
      - alert: Down
        expr: service_up == 0
        annotations: {summary: "{{ $labels.member }} is down"}
`

// noDelays is a configuration that sends every notification at once.
const noDelays = `route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "%s/hook"}]}]
`

// scraping is a configuration that scrapes one target every 100 ms, and sends alerts to one Alertmanager.
const scraping = `global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}
rule_files: [%s]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs: [{job_name: test, static_configs: [{targets: [%q]}]}]
`

func TestAnAlertPassesPrometheusAndAlertmanager(t *testing.T) {
	var up atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "service_up{member=\"m1\"} %d\n", up.Load())
	}))
	t.Cleanup(target.Close)
	hook := Webhook(t)
	a := Alertmanager(t, fmt.Sprintf(noDelays, hook.URL()))
	rules := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(rules, []byte(deathRule), 0o666))
	config := fmt.Sprintf(scraping, rules, a.Addr(), target.Listener.Addr())
	p := Prometheus(t, config, "--rules.alert.resend-delay=1s")

	notification := hook.Wait("firing", func(all []Notification) bool { return len(all) == 1 })[0]
	require.Equal(t, "/hook", notification.Path)
	require.WithinDuration(t, time.Now(), notification.Time, startTimeout)
	require.Equal(t, map[string]string{"alertname": "Down"}, notification.GroupLabels)
	require.Len(t, notification.Alerts, 1)
	require.Equal(t, "m1 is down", notification.Alerts[0].Annotations["summary"])

	samples := p.Query("service_up")
	require.Len(t, samples, 1)
	require.Equal(t, "m1", samples[0].Labels["member"])
	require.Zero(t, samples[0].Value)
	require.Empty(t, p.Query("service_down"))
	require.InDelta(t, 1.5, p.Query("3 / 2")[0].Value, 0, "a scalar")
	require.WithinDuration(t, time.Now(), p.Query("3 / 2")[0].Time, startTimeout)
	alerts := p.Alerts()
	require.Len(t, alerts, 1)
	require.Equal(t, "firing", alerts[0].State)
	require.Equal(t, "Down", alerts[0].Labels["alertname"])

	up.Store(1)
	resolved := hook.Wait("resolved", func(all []Notification) bool { return len(all) == 2 })[1]
	require.Equal(t, "resolved", resolved.Status)
	require.Equal(t, "resolved", resolved.Alerts[0].Status)

	require.NoError(t, os.WriteFile(rules, []byte("groups: []\n"), 0o666))
	p.Reload(config)
	require.Empty(t, p.Alerts())
	for _, end := range []func(){p.Stop, p.Kill} {
		end()
		require.Error(t, accepts(p.Addr()))
		p.Start()
		require.NotEmpty(t, p.Query("last_over_time(service_up[1h])"), "the data is kept")
	}
}

func TestAlertmanager(t *testing.T) {
	hook := Webhook(t)
	a := Alertmanager(t, fmt.Sprintf(noDelays, hook.URL()))
	require.Empty(t, a.Alerts())
	now := time.Now()
	alert := Alert{
		Labels: map[string]string{"alertname": "Down", "member": "m1"}, StartsAt: now, EndsAt: now.Add(time.Hour),
		GeneratorURL: "http://localhost/m1",
	}
	a.Post(alert, Alert{Labels: map[string]string{"alertname": "Other"}})
	hook.Wait("notification of each group", func(all []Notification) bool { return len(all) == 2 })
	stored := a.Alerts()
	require.Len(t, stored, 2)
	for _, h := range stored {
		require.Equal(t, "active", h.Status.State)
		require.Equal(t, "hook", h.Receivers[0].Name)
		if h.Labels["alertname"] == "Down" {
			require.WithinDuration(t, alert.EndsAt, h.EndsAt, time.Millisecond)
			require.Equal(t, alert.GeneratorURL, h.GeneratorURL)
		}
	}

	a.Reload(fmt.Sprintf(noDelays, hook.URL()) +
		"inhibit_rules: [{source_matchers: [alertname=Down], target_matchers: [alertname=Other]}]\n")
	Eventually(t, func() bool {
		for _, h := range a.Alerts() {
			if h.Status.State == "suppressed" {
				return len(h.Status.InhibitedBy) == 1 && h.Labels["alertname"] == "Other"
			}
		}
		return false
	}, startTimeout, 10*time.Millisecond, "the alert is inhibited")

	a.Freeze()
	require.Error(t, a.answers())
	a.Thaw()
	a.Kill()
	require.Error(t, accepts(a.Addr()))
	a.Start()
	require.Empty(t, a.Alerts(), "alerts are lost with the process")
}

func TestAlertingTools(t *testing.T) {
	for _, tool := range []string{Promtool(t), Amtool(t)} {
		out, err := exec.Command(tool, "--version").CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/sources"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// For every file there is no panic, and either a usable configuration or errors that name the file.
func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/good.yml")
	require.NoError(f, err)
	for _, seed := range []string{
		string(good), goodDB, headZK, "", "---\n", "sources: &s\n- *s\n", "sources: *x", "a: &a [*a]", "<<: {<<: 1}", "? {a: b}\n: c",
		edit("dsn", "dsn_file"), edit("dsn:", "dsn_env: HOME, password:"), "sources: [{}, {}]", "\xff", "%YAML 1.1\n---\n...\n---",
		edit("dsn", "nova_conf"), edit("dsn:", "nova_conf: [good.conf, ., \"a\\nb\"], cells:"), edit("dsn:", "nova_conf: good.conf, cells: [{name: a, dsn: '{port}'}], x:"),
		edit("", "") + alertingSeed, "alerting: {groups: [{group: \"\\x00\\\"{{ 1 }}\", severity: critical}], labels: {a: '{{'}}",
		"sources: [{name: 1, driver: 2, db: 3, zk: 4, poll_interval: 5, member_metrics: 6}]",
	} {
		f.Add([]byte(seed))
	}
	name := filepath.Join(f.TempDir(), "f.yml")
	require.NoError(f, os.WriteFile(filepath.Join(filepath.Dir(name), "good.conf"), []byte(connection+api), 0o600))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := sources.Parse(name, data)
		if err != nil {
			require.Nil(t, c)
			for line := range strings.Lines(err.Error()) {
				require.True(t, strings.HasPrefix(line, name+":"), "%q", line)
			}
			return
		}
		require.NotEmpty(t, c.Sources)
		for i := range c.Sources {
			s := &c.Sources[i]
			require.True(t, config.GoodName(s.Name))
			require.Equal(t, map[string]bool{"db": s.DB != nil, "mc": s.MC != nil, "zk": s.ZK != nil}, map[string]bool{
				"db": s.Driver == "db", "mc": s.Driver == "mc", "zk": s.Driver == "zk",
			})
		}
		again, err := sources.Parse(name, data)
		require.NoError(t, err)
		require.Equal(t, c.Sources[0].Fingerprint(), again.Sources[0].Fingerprint())
		_, err = c.Effective()
		require.NoError(t, err)
		rules, err := alerts.RuleFile(&c.Alerting)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(rules, &map[string]any{}))
	})
}

// alertingSeed is the rest of a file, with all settings of alerts.
const alertingSeed = `
alerting:
  alertmanagers: [{url: "http://am1:9093", timeout: 3s, basic_auth: {username: a, password: b}, tls_config: {insecure_skip_verify: true}}]
  external_labels: {cluster: prod}
  drop_labels: [replica]
  labels: {team: cloud}
  host_label: host
  external_url: https://sg.example.com/x
  grafana_url: https://grafana.example.com
  job: sg
  scrape_interval: 15s
  evaluation_interval: 15s
  keep_firing_for: 2m
  resend_interval: 10s
  resolve_after: never
  severities: {ServiceGroupOutage: warning}
  groups: [{source: nova, group: compute, severity: critical, min_members: 2, degraded_ratio: 0.5}]
`

// For every nova.conf there is no panic, and either usable sources or errors that name a file.
func FuzzNovaConf(f *testing.F) {
	for _, seed := range []string{
		connection + api, "[DEFAULT]\nservice_down_time = -1\nservicegroup_driver = mc\n" + connection,
		"[DEFAULT]\nreport_interval = 99999999999999999999\nmy_ip=$my_ip\n" + api, connection + "connection_parameters = a=b&c\n",
		"[DEFAULT]\nservicegroup_driver = mc\n[cache]\nmemcache_servers = [::1]:1,a:b,\n[memcache]\n" + connection, "[", "\x00=\xff",
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	file := filepath.Join(dir, "nova.conf")
	f.Fuzz(func(t *testing.T, text string) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		c, err := sources.Parse(filepath.Join(dir, "f.yml"), []byte("sources: [{name: nova, driver: db, db: {nova_conf: nova.conf}}]"))
		if err != nil {
			require.Contains(t, err.Error(), dir)
			return
		}
		require.NotEmpty(t, c.Sources[0].Fingerprint())
		_, err = c.Effective()
		require.NoError(t, err)
	})
}

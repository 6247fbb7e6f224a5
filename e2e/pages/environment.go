package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"servicegroup_exporter/internal/testserver"
)

const (
	sourceName = "test"
	groupName  = "workers"
	// heartbeatTimeout is the heartbeat timeout of both backends.
	heartbeatTimeout = 4 * time.Second
)

// A server is a backend that faults can stop, kill and freeze.
type server interface {
	Addr() string
	Stop()
	Start()
	Kill()
	Freeze()
	Thaw()
}

// An environment is everything between a death and a page.
type environment struct {
	testserver.TB
	settings
	dir, program, config string

	backend      server
	prometheus   *testserver.Prom // nil without rules
	alertmanager *testserver.AM
	exporter     *testserver.Process
	web          string // the address of the exporter
	hooks        *testserver.Notifications
	// The proxies that Prometheus and the bridge send their alerts through.
	fromRules, fromBridge *alertProxy
}

// newEnvironment starts everything except members.
func newEnvironment(t testserver.TB, s settings) *environment {
	env := &environment{TB: t, settings: s, hooks: testserver.Webhook(t)}
	env.dir, env.program = testserver.TempDir(env), testserver.ExporterPath(env)
	if s.backend == zookeeper {
		env.backend = testserver.ZooKeeper(t)
	} else {
		env.backend = testserver.MariaDB(t)
		env.createTable()
	}
	env.alertmanager = testserver.Alertmanager(t, fmt.Sprintf(alertmanagerYAML, s.groupInterval, env.hooks.URL()))
	env.fromRules, env.fromBridge = newAlertProxy(t, env.alertmanager.URL()), newAlertProxy(t, env.alertmanager.URL())
	env.web = fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
	env.configure()
	env.exporter = testserver.Program(t, "exporter", []string{
		env.program, "--config.file=" + env.config, "--storage.path=" + filepath.Join(env.dir, "exporter"),
		"--web.listen-address=" + env.web, "--log.level=warn",
	}, func() error { return testserver.ExporterReady(env.web) })
	if s.rules {
		env.startPrometheus()
	}
	return env
}

// alertmanagerYAML groups each alert on its own, so that notifications can be counted.
const alertmanagerYAML = `route:
  receiver: test
  group_by: ['...']
  group_wait: 0s
  group_interval: %s
receivers:
  - name: test
    webhook_configs: [{url: '%s/', send_resolved: true}]
`

// configure writes the exporter's configuration.
func (env *environment) configure() {
	source := fmt.Sprintf("zk: {servers: [%q], session_timeout: %s}", env.backend.Addr(), heartbeatTimeout)
	driver := "zk"
	if env.settings.backend == mariadb {
		source = fmt.Sprintf("db: {dsn: \"mysql+pymysql://root@%s/nova\", service_down_time: %s, report_interval: 1s}",
			env.backend.Addr(), heartbeatTimeout)
		driver = "db"
	}
	var alertmanagers string
	if env.bridge {
		alertmanagers = fmt.Sprintf("{url: %q}", env.fromBridge.url())
	}
	env.config = filepath.Join(env.dir, "exporter.yml")
	env.write(env.config, fmt.Sprintf(`sources:
  - name: %s
    driver: %s
    %s
    poll_interval: 500ms
alerting:
  alertmanagers: [%s]
  external_labels: {cluster: test, replica: a}
  scrape_interval: %s
  evaluation_interval: %s
  keep_firing_for: %s
  resend_interval: %s
`, sourceName, driver, source, alertmanagers, env.scrape, env.evaluation, env.keepFiring, env.resend))
}

// startPrometheus starts Prometheus with the rules that the exporter's own command prints.
func (env *environment) startPrometheus() {
	rules, err := exec.Command(env.program, "--config.file="+env.config, "rules").Output()
	if err != nil {
		env.Fatalf("printing the rules: %v", err)
	}
	file := filepath.Join(env.dir, "rules.yml")
	env.write(file, string(rules))
	env.prometheus = testserver.Prometheus(env.TB, fmt.Sprintf(`global:
  scrape_interval: %s
  evaluation_interval: %s
  external_labels: {cluster: test, replica: a}
rule_files: [%s]
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs: [{targets: [%q]}]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers:
    - static_configs: [{targets: [%q]}]
`, env.scrape, env.evaluation, file, env.web, strings.TrimPrefix(env.fromRules.url(), "http://")),
		fmt.Sprintf("--rules.alert.resend-delay=%s", env.resendDelay))
}

// createTable creates the current table of Nova.
func (env *environment) createTable() {
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(env), "drivers", "db", "testdata", "zed.sql"))
	if err != nil {
		env.Fatalf("reading Nova's schema: %v", err)
	}
	if _, err := env.backend.(*testserver.SQL).Open(env.TB, "nova").Exec(string(schema)); err != nil {
		env.Fatalf("creating Nova's table: %v", err)
	}
}

func (env *environment) write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		env.Fatalf("writing %s: %v", path, err)
	}
}

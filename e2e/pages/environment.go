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
	sourceName = "lab"
	groupName  = "workers"
	// sessionTimeout is how long a member may be silent, in every backend.
	sessionTimeout = 4 * time.Second
)

// A server is a backend that can be broken.
type server interface {
	Addr() string
	Stop()
	Start()
	Kill()
	Freeze()
	Thaw()
}

// A lab is everything that there is between a death and a page.
type lab struct {
	testserver.TB
	settings
	dir, program, config string

	backend      server
	prometheus   *testserver.Prom // nil without rules
	alertmanager *testserver.AM
	exporter     *testserver.Process
	web          string // the exporter's address
	hooks        *testserver.Notifications
	// What Prometheus and the bridge post goes through these.
	fromRules, fromBridge *tap
}

// newLab starts everything but members.
func newLab(t testserver.TB, s settings) *lab {
	l := &lab{TB: t, settings: s, hooks: testserver.Webhook(t)}
	l.dir, l.program = testserver.TempDir(l), testserver.BuildExporter(l)
	if s.backend == zookeeper {
		l.backend = testserver.ZooKeeper(t)
	} else {
		l.backend = testserver.MariaDB(t)
		l.prepareDatabase()
	}
	l.alertmanager = testserver.Alertmanager(t, fmt.Sprintf(alertmanagerYAML, s.groupInterval, l.hooks.URL()))
	l.fromRules, l.fromBridge = newTap(t, l.alertmanager.URL()), newTap(t, l.alertmanager.URL())
	l.web = fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
	l.configure()
	l.exporter = testserver.Program(t, "exporter", []string{
		l.program, "--config.file=" + l.config, "--storage.path=" + filepath.Join(l.dir, "exporter"),
		"--web.listen-address=" + l.web, "--log.level=warn",
	}, func() error { return testserver.ExporterReady(l.web) })
	if s.rules {
		l.startPrometheus()
	}
	return l
}

// alertmanagerYAML gives every alert a group of its own, so that notifications can be counted.
const alertmanagerYAML = `route:
  receiver: lab
  group_by: ['...']
  group_wait: 0s
  group_interval: %s
receivers:
  - name: lab
    webhook_configs: [{url: '%s/', send_resolved: true}]
`

// configure writes the exporter's configuration.
func (l *lab) configure() {
	source := fmt.Sprintf("zk: {servers: [%q], session_timeout: %s}", l.backend.Addr(), sessionTimeout)
	driver := "zk"
	if l.settings.backend == mariadb {
		source = fmt.Sprintf("db: {dsn: \"mysql+pymysql://root@%s/nova\", service_down_time: %s, report_interval: 1s}",
			l.backend.Addr(), sessionTimeout)
		driver = "db"
	}
	var alertmanagers string
	if l.bridge {
		alertmanagers = fmt.Sprintf("{url: %q}", l.fromBridge.url())
	}
	l.config = filepath.Join(l.dir, "exporter.yml")
	l.write(l.config, fmt.Sprintf(`sources:
  - name: %s
    driver: %s
    %s
    poll_interval: 500ms
alerting:
  alertmanagers: [%s]
  external_labels: {cluster: lab, replica: a}
  scrape_interval: %s
  evaluation_interval: %s
  keep_firing_for: %s
  resend_interval: %s
`, sourceName, driver, source, alertmanagers, l.scrape, l.evaluation, l.keepFiring, l.resend))
}

// startPrometheus starts Prometheus with the rules that the exporter's own command prints.
func (l *lab) startPrometheus() {
	rules, err := exec.Command(l.program, "--config.file="+l.config, "rules").Output()
	if err != nil {
		l.Fatalf("printing the rules: %v", err)
	}
	file := filepath.Join(l.dir, "rules.yml")
	l.write(file, string(rules))
	l.prometheus = testserver.Prometheus(l.TB, fmt.Sprintf(`global:
  scrape_interval: %s
  evaluation_interval: %s
  external_labels: {cluster: lab, replica: a}
rule_files: [%s]
scrape_configs:
  - job_name: servicegroup_exporter
    static_configs: [{targets: [%q]}]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers:
    - static_configs: [{targets: [%q]}]
`, l.scrape, l.evaluation, file, l.web, strings.TrimPrefix(l.fromRules.url(), "http://")),
		fmt.Sprintf("--rules.alert.resend-delay=%s", l.resendDelay))
}

// prepareDatabase makes the table of today's Nova.
func (l *lab) prepareDatabase() {
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(l), "drivers", "db", "testdata", "zed.sql"))
	if err != nil {
		l.Fatalf("reading Nova's schema: %v", err)
	}
	if _, err := l.backend.(*testserver.SQL).Open(l.TB, "nova").Exec(string(schema)); err != nil {
		l.Fatalf("making Nova's table: %v", err)
	}
}

func (l *lab) write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		l.Fatalf("writing %s: %v", path, err)
	}
}

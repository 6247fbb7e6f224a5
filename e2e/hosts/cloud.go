package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// A cloud is everything between the death of a machine and a page.
type cloud struct {
	testserver.TB
	settings

	machines     []*machine
	frozen       *machine // one of them, which returns after its page
	alertmanager *testserver.AM
	hooks        *testserver.Notifications
	config       string // the configuration file of the exporter
	web          string // the address of the exporter

	mu      sync.Mutex
	reports map[*service]int
}

// newCloud starts everything, and waits until the exporter can know the interval of each member.
func newCloud(t testserver.TB, s settings) *cloud {
	c := &cloud{TB: t, settings: s, hooks: testserver.Webhook(t), reports: map[*service]int{}}
	server := testserver.MariaDB(t)
	services := c.addMachines(server)
	c.frozen = c.machines[1]
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for _, s := range services {
		c.reports[s] = 0
		running.Go(func() {
			if err := s.run(ctx, c.reported); err != nil {
				t.Logf("reporting: %v", err)
			}
		})
	}
	c.alertmanager = testserver.Alertmanager(t, c.alertmanagerConfig())
	c.startExporter(server)
	const enough = 5 // reports, which are four intervals
	c.until("each service has reported often enough", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, n := range c.reports {
			if n < enough {
				return false
			}
		}
		return true
	})
	c.until("the exporter knows all hosts", func() bool { return c.count(`servicegroup_host_up\{.*\} 1`) == s.hosts })
	return c
}

func (c *cloud) reported(s *service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports[s]++
}

// addMachines creates the tables, with the members of all machines, and returns the services. Each machine is in a zone of its own, so that
// none waits for the notification of another.
func (c *cloud) addMachines(server *testserver.SQL) []*service {
	nova, neutron, cinder := c.table(server, "nova", "zed"), c.table(server, "neutron", "neutron"), c.table(server, "cinder", "cinder")
	var services []*service
	for i := range c.hosts {
		m := &machine{name: fmt.Sprintf("node-%03d", i), released: make(chan struct{})}
		m.release()
		zone, volume := fmt.Sprintf("rack-%03d", i), m.name+"@lvm"
		c.exec(nova, addCompute, m.name)
		c.exec(neutron, addAgent, m.name, zone)
		c.exec(cinder, addVolume, volume, zone)
		services = append(services,
			&service{machine: m, db: nova, update: reportCompute, member: m.name, interval: c.interval},
			&service{machine: m, db: neutron, update: reportAgent, member: m.name, interval: 3 * c.interval},
			&service{machine: m, db: cinder, update: reportVolume, member: volume, interval: c.interval})
		c.machines = append(c.machines, m)
	}
	return services
}

// table creates a database with the table that the service itself makes.
func (c *cloud) table(server *testserver.SQL, database, file string) *sql.DB {
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(c), "drivers", "db", "testdata", file+".sql"))
	if err != nil {
		c.Fatalf("reading the schema: %v", err)
	}
	db := server.Open(c, database)
	db.SetMaxOpenConns(4)
	c.exec(db, string(schema))
	return db
}

func (c *cloud) exec(db *sql.DB, statement string, args ...any) {
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		c.Fatalf("%s: %v", statement, err)
	}
}

// alertmanagerConfig returns the shipped configuration, with a path of the webhook for each receiver.
func (c *cloud) alertmanagerConfig() string {
	shipped, err := os.ReadFile(filepath.Join(testserver.ModuleDir(c), "alerts", "alertmanager.yml"))
	if err != nil {
		c.Fatalf("reading the shipped configuration of Alertmanager: %v", err)
	}
	receivers := regexp.MustCompile(`https://([a-z]+)\.example\.com/alertmanager`)
	return c.settings.alertmanager.Replace(receivers.ReplaceAllString(string(shipped), c.hooks.URL()+"/$1"))
}

// startExporter starts the exporter with its bridge.
func (c *cloud) startExporter(server *testserver.SQL) {
	dir := testserver.TempDir(c)
	var sources strings.Builder
	for _, s := range []struct {
		name    string
		timeout time.Duration
	}{{"nova", c.timeout}, {"neutron", c.agentTimeout}, {"cinder", c.timeout}} {
		fmt.Fprintf(&sources, `  - name: %[1]s
    driver: db
    db: {dsn: "mysql+pymysql://root@%[2]s/%[1]s", schema: %[1]s, service_down_time: %[3]s, report_interval: %[4]s}
    suspicion: {margin: %[5]s}
    poll_interval: %[6]s
`, s.name, server.Addr(), s.timeout, c.interval, c.margin, c.poll)
	}
	c.config = filepath.Join(dir, "servicegroups.yml")
	c.write(c.config, fmt.Sprintf(`sources:
%[1]salerting:
  alertmanagers: [{url: %[2]q}]
  external_labels: {cluster: test}
  resend_interval: %[3]s
  resolve_after: 0s
  scrape_interval: %[4]s
  evaluation_interval: %[4]s
`, &sources, c.alertmanager.URL(), c.resend, c.scrape))
	c.web = fmt.Sprintf("127.0.0.1:%d", testserver.Port(c))
	testserver.Program(c, "exporter", []string{
		testserver.ExporterPath(c), "--config.file=" + c.config, "--storage.path=" + filepath.Join(dir, "state"), "--web.listen-address=" + c.web,
		"--log.level=warn",
	}, func() error { return testserver.ExporterReady(c.web) })
}

// startPrometheus starts Prometheus with the rules that the exporter prints, and waits until their alerts arrive.
func (c *cloud) startPrometheus() {
	c.Logf("starting Prometheus")
	rules, err := exec.CommandContext(context.Background(), testserver.ExporterPath(c), "--config.file="+c.config, "rules").Output()
	if err != nil {
		c.Fatalf("printing the rules: %v", err)
	}
	file := filepath.Join(filepath.Dir(c.config), "rules.yml")
	c.write(file, string(rules))
	testserver.Prometheus(c, fmt.Sprintf(`global: {scrape_interval: %[1]s, evaluation_interval: %[1]s}
rule_files: [%[2]s]
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs: [{targets: [%[3]q], labels: {cluster: test}}]
alerting:
  alertmanagers: [{static_configs: [{targets: [%[4]q]}]}]
`, c.scrape, file, c.web, strings.TrimPrefix(c.alertmanager.URL(), "http://")),
		fmt.Sprintf("--rules.alert.resend-delay=%s", c.scrape)) // The first alerts are lost while Alertmanager is not known yet.
	c.until("Alertmanager has an alert of the rules", func() bool {
		return slices.ContainsFunc(c.alertmanager.Alerts(), func(a testserver.StoredAlert) bool {
			return a.Labels["alertname"] == "ServiceGroupWatchdog"
		})
	})
}

func (c *cloud) write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.Fatalf("writing %s: %v", path, err)
	}
}

// count returns how many series match an expression, with their values.
func (c *cloud) count(series string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.web+"/metrics", nil)
	if err != nil {
		c.Fatalf("asking the exporter: %v", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return -1
	}
	return len(regexp.MustCompile(`(?m)^`+series+`$`).FindAll(text, -1))
}

// patience bounds each wait. It is long enough for a busy machine.
const patience = 5 * time.Minute

func (c *cloud) until(what string, condition func() bool) {
	testserver.Eventually(c, condition, patience, 100*time.Millisecond, "%s", what)
}

package dashboards_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

// patience is the timeout of the tests, on a busy machine with few cores.
const patience = time.Minute

// Debian's Prometheus can't average native histograms. They are tested with a newer one:
//
//	make test-evaluators
var newer = flag.String("prometheus", "", "path of Prometheus 3.8 or newer, to test the panels of histograms with native ones")

// rulesFile is the file of the shipped rules.
const rulesFile = "../alerts/servicegroup.rules.yml"

// environmentConfig has two sources: a table with all attributes that a member can have, including zones, and ZooKeeper with a canary.
// The members join the table through the schema of an SQLite file, which has no zones.
const environmentConfig = `
sources:
  - name: nova
    driver: db
    db:
      dsn: sqlite:///%[1]s
      service_down_time: 5s
      schema: custom
      custom:
        {table: services, group: topic, name: host, binary: binary, zone: zone, heartbeat: [last_seen_up, created_at],
         heartbeat_unit: time, deleted: deleted, deleted_kind: number, disabled: disabled,
         disabled_reason: disabled_reason, forced_down: forced_down}
    poll_interval: 200ms
    suspicion: {margin: 1s}
  - name: zk
    driver: zk
    zk: {servers: ["%[2]s"], session_timeout: 2s}
    poll_interval: 200ms
    canary: {interval: 10s}
alerting:
  alertmanagers: [{url: "http://%[3]s"}]
`

const joinConfig = `
sources:
  - name: nova
    driver: db
    db: {dsn: "sqlite:///%[1]s", report_interval: 300ms, service_down_time: 5s}
  - name: zk
    driver: zk
    zk: {servers: ["%[2]s"], session_timeout: 2s}
`

// An environment is two exporters that read the same sources and send alerts to an Alertmanager, and a Prometheus that scrapes both and
// evaluates the shipped rules.
type environment struct {
	t         *testing.T
	dir       string
	zookeeper *testserver.ZK
	am        *testserver.AM
	joiners   map[string]drivers.Joiner     // by source
	members   map[string]drivers.Membership // by group and member
	exporters []*exporter
	prom      *testserver.Prom
	native    map[string]*testserver.Prom // others that store native histograms
	started   time.Time                   // when all members were up
	// unreadable is the start and end of the time in which no exporter could read ZooKeeper, in seconds since 1970.
	unreadable [2]float64
}

type exporter struct {
	address string
	cmd     *exec.Cmd
}

// newEnvironment starts all programs, with members that are up.
func newEnvironment(t *testing.T) *environment {
	t.Helper()
	env := &environment{
		t: t, dir: t.TempDir(), zookeeper: testserver.ZooKeeper(t),
		am:      testserver.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n"),
		joiners: map[string]drivers.Joiner{}, members: map[string]drivers.Membership{},
	}
	env.openJoiners()
	for i := range 7 {
		env.join("nova", "compute", fmt.Sprintf("c%d", i+1))
	}
	env.join("nova", "network", "n1")
	env.join("nova", "network", "n2")
	env.join("nova", "volume", "c5") // a second service on this host
	env.join("zk", "web", "w1")
	env.join("zk", "web", "w2")
	env.sql("ALTER TABLE services ADD zone TEXT")
	env.sql("UPDATE services SET zone = CASE WHEN host IN ('c1', 'n1') THEN 'az1' ELSE 'az2' END")
	env.startExporters(2)
	env.startPrometheus()
	env.await(`count(service_up == 1) == 24 and on () ALERTS{alertname="ServiceGroupWatchdog"}`)
	env.started = time.Now()
	return env
}

func (env *environment) write(name, format string) string {
	path := filepath.Join(env.dir, name)
	text := fmt.Sprintf(format, filepath.Join(env.dir, "nova.db"), env.zookeeper.Addr(), env.am.Addr())
	require.NoError(env.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (env *environment) openJoiners() {
	cfg, err := sources.Load(env.write("join.yml", joinConfig))
	require.NoError(env.t, err)
	for _, s := range sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources() {
		driver, err := s.Open(slog.New(slog.DiscardHandler))
		require.NoError(env.t, err)
		env.t.Cleanup(func() { driver.Close() })
		env.joiners[s.Name] = driver.(drivers.Joiner)
	}
}

func (env *environment) join(source, group, member string) {
	ctx, cancel := context.WithTimeout(env.t.Context(), patience)
	defer cancel()
	m, err := env.joiners[source].Join(ctx, drivers.JoinRequest{Group: group, Name: member})
	require.NoError(env.t, err)
	env.members[group+" "+member] = m
}

// kill ends members, each named by group and member, as kill -9 would.
func (env *environment) kill(members ...string) {
	for _, m := range members {
		env.members[m].Abandon()
	}
}

// sql changes the table as an operator would.
func (env *environment) sql(statement string) {
	db, err := sql.Open("sqlite", filepath.Join(env.dir, "nova.db")+"?_pragma=busy_timeout(10000)")
	require.NoError(env.t, err)
	defer db.Close()
	_, err = db.ExecContext(env.t.Context(), statement)
	require.NoError(env.t, err)
}

func (env *environment) startExporters(n int) {
	file := env.write("exporter.yml", environmentConfig)
	for i := range n {
		env.exporters = append(env.exporters, startExporter(env.t, file, filepath.Join(env.dir, fmt.Sprintf("exporter%d", i))))
	}
}

// startExporter starts an exporter that keeps its state and its log in a folder, and waits until it serves.
func startExporter(t testing.TB, configFile, dir string) *exporter {
	t.Helper()
	return startExporterAt(t, fmt.Sprintf("127.0.0.1:%d", testserver.Port(t)), configFile, dir)
}

func startExporterAt(t testing.TB, address, configFile, dir string) *exporter {
	t.Helper()
	e := &exporter{address: address}
	require.NoError(t, os.MkdirAll(dir, 0o700))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	e.cmd = exec.CommandContext(t.Context(), testserver.ExporterPath(t), "--config.file="+configFile, "--web.listen-address="+e.address,
		"--storage.path="+filepath.Join(dir, "state"))
	e.cmd.Stdout, e.cmd.Stderr = log, log
	require.NoError(t, e.cmd.Start())
	t.Cleanup(func() { e.stop(); log.Close() })
	eventually(t, "the exporter serves", func() bool {
		response, err := http.Get("http://" + e.address + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return e
}

// stop ends the exporter, once.
func (e *exporter) stop() {
	if e.cmd.ProcessState == nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
	}
}

func (env *environment) startPrometheus() {
	rules, err := filepath.Abs(rulesFile)
	require.NoError(env.t, err)
	scrapes := fmt.Sprintf(`
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs: [{targets: [%q, %q]}]
  - job_name: node # Targets with the names of two machines, one of which answers.
    static_configs:
      - {targets: [%q], labels: {instance: "n1:9100"}}
      - {targets: ["127.0.0.1:9"], labels: {instance: "c5:9100"}}
`, env.exporters[0].address, env.exporters[1].address, env.am.Addr())
	env.prom = testserver.Prometheus(env.t, fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n", rules)+scrapes)
	if *newer == "" {
		return
	}
	env.native = map[string]*testserver.Prom{
		"native histograms": testserver.PrometheusAt(env.t, *newer,
			"global: {scrape_interval: 1s, scrape_native_histograms: true}\n"+scrapes),
		"both kinds of histograms": testserver.PrometheusAt(env.t, *newer,
			"global: {scrape_interval: 1s, scrape_native_histograms: true, always_scrape_classic_histograms: true}\n"+scrapes),
	}
}

// await waits until an expression has a sample.
func (env *environment) await(expr string) {
	env.t.Helper()
	env.eventually(expr, func() bool { return len(env.prom.Query(expr)) > 0 })
}

func (env *environment) eventually(what string, check func() bool) {
	env.t.Helper()
	eventually(env.t, what, check)
}

func eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	testserver.Eventually(t, check, patience, 100*time.Millisecond, "%s", what)
}

// The members that are down in both exporters, and the seconds in which one was, if it was for the last four.
const (
	deadNow  = `max by (source, group, member) (service_up) == 0`
	deadThen = `count_over_time((max(service_up{member=%q}) == 0)[4s:1s]) >= 4`
)

// restart starts the second exporter again, and lets the first read its configuration again.
func (env *environment) restart() {
	const loaded = `servicegroup_config_last_reload_success_timestamp_seconds`
	env.exporters[1].stop()
	env.await(`up{job="servicegroup_exporter"} == 0`)
	env.exporters[1] = startExporterAt(env.t, env.exporters[1].address, filepath.Join(env.dir, "exporter.yml"), filepath.Join(env.dir, "exporter1"))
	env.await(`count(` + loaded + ` > ` + loaded + ` offset 5s) == 1`)
	require.NoError(env.t, env.exporters[0].cmd.Process.Signal(syscall.SIGHUP))
	env.await(`count(` + loaded + `{instance="` + env.exporters[0].address + `"} > ` + loaded + ` offset 5s) == 1`)
	env.await(`count(service_up == 1) == 24`)
}

// outage lets one member of the table be late, then most of them die and some recover, and stops and starts ZooKeeper. At the end some members are down,
// one of them in a group whose other member is out of service, and one that is out of service itself.
func (env *environment) outage() {
	env.restart()
	env.await(`count(servicegroup_reporting_interval_seconds{source="nova", group="compute", quantile="0.5"}) == 2`)
	env.kill("compute c6")
	env.await(`sum(servicegroup_member_suspected{member="c6"}) == 2`)
	env.join("nova", "compute", "c6")
	env.await(`sum(increase(servicegroup_suspicions_total[1h])) > 0`)
	env.sql(`UPDATE services SET disabled = 1, disabled_reason = 'rack 7' WHERE host IN ('n2', 'c7')`)
	env.sql(`UPDATE services SET disabled = 1, disabled_reason = 'AUTO: the hypervisor is gone' WHERE host = 'n1'`)
	env.kill("compute c1", "compute c2", "compute c3", "compute c4", "compute c5", "volume c5", "compute c7", "network n1", "web w1")
	env.await(`count(` + deadNow + `) == 9`)
	env.await(`ALERTS{alertname="ServiceGroupMassFailure", alertstate="firing"}`)
	env.await(fmt.Sprintf(deadThen, "c1"))
	for _, m := range []string{"c1", "c2", "c3", "c4"} {
		env.join("nova", "compute", m)
	}
	env.zookeeper.Stop()
	env.await(`count(servicegroup_source_up{source="zk"} == 0) == 2`)
	env.unreadable[0] = float64(time.Now().Unix() + 1)
	env.unreadable[1] = env.unreadable[0] + 2
	env.eventually("some seconds pass", func() bool { return float64(time.Now().Unix()) > env.unreadable[1] })
	env.zookeeper.Start()
	env.await(`count(servicegroup_source_up == 1) == 4`)
	env.await(`increase(servicegroup_canary_detection_latency_seconds_count[1h]) > 0`)
	env.await(fmt.Sprintf(deadThen, "w1"))
	env.kill("web w2")
	env.await(`count(` + deadNow + `) == 6 and on () ` + fmt.Sprintf(deadThen, "w2"))
}

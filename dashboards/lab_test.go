package dashboards

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

// patience is the timeout of the tests, on a busy machine with few cores.
const patience = time.Minute

// rulesFile is the file of the shipped rules.
const rulesFile = "../alerts/servicegroup.rules.yml"

// labConfig has two sources: a table with all attributes that a member can have, including zones, and ZooKeeper with a canary.
// The members join the table through the schema of an SQLite file, which has no zones.
const labConfig = `
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

// A lab is two exporters that read the same sources and send alerts to an Alertmanager, and a Prometheus that scrapes both and
// evaluates the shipped rules.
type lab struct {
	t         *testing.T
	dir       string
	zookeeper *testserver.ZK
	am        *testserver.AM
	joiners   map[string]drivers.Joiner // by source
	members   map[string]drivers.Membership
	exporters []*exporter
	prom      *testserver.Prom
	started   time.Time // when all members were up
	// unreadable is the start and end of the time in which no exporter could read ZooKeeper, in seconds since 1970.
	unreadable [2]float64
}

type exporter struct {
	address string
	cmd     *exec.Cmd
}

// newLab starts all programs, with members that are up.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{
		t: t, dir: t.TempDir(), zookeeper: testserver.ZooKeeper(t),
		am:      testserver.Alertmanager(t, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"),
		joiners: map[string]drivers.Joiner{}, members: map[string]drivers.Membership{},
	}
	l.openJoiners()
	for i := range 7 {
		l.join("nova", "compute", fmt.Sprintf("c%d", i+1))
	}
	l.join("nova", "network", "n1")
	l.join("nova", "network", "n2")
	l.join("zk", "web", "w1")
	l.join("zk", "web", "w2")
	l.sql("ALTER TABLE services ADD zone TEXT")
	l.sql("UPDATE services SET zone = CASE WHEN host IN ('c1', 'n1') THEN 'az1' ELSE 'az2' END")
	l.startExporters(2)
	l.startPrometheus()
	l.await(`count(service_up == 1) == 22 and on () count(servicegroup:member_state) == 11`)
	l.started = time.Now()
	return l
}

func (l *lab) write(name, format string) string {
	path := filepath.Join(l.dir, name)
	text := fmt.Sprintf(format, filepath.Join(l.dir, "nova.db"), l.zookeeper.Addr(), l.am.Addr())
	require.NoError(l.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (l *lab) openJoiners() {
	cfg, err := sources.Load(l.write("join.yml", joinConfig))
	require.NoError(l.t, err)
	for _, s := range sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources() {
		driver, err := s.Open(slog.New(slog.DiscardHandler))
		require.NoError(l.t, err)
		l.t.Cleanup(func() { driver.Close() })
		l.joiners[s.Name] = driver.(drivers.Joiner)
	}
}

func (l *lab) join(source, group, member string) {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	m, err := l.joiners[source].Join(ctx, drivers.JoinRequest{Group: group, Name: member})
	require.NoError(l.t, err)
	l.members[member] = m
}

// kill ends members as kill -9 would.
func (l *lab) kill(members ...string) {
	for _, m := range members {
		l.members[m].Abandon()
	}
}

// sql changes the table as an operator would.
func (l *lab) sql(statement string) {
	db, err := sql.Open("sqlite", filepath.Join(l.dir, "nova.db")+"?_pragma=busy_timeout(10000)")
	require.NoError(l.t, err)
	defer db.Close()
	_, err = db.ExecContext(l.t.Context(), statement)
	require.NoError(l.t, err)
}

func (l *lab) startExporters(n int) {
	program := filepath.Join(l.dir, "servicegroup_exporter")
	build := exec.Command("go", "build", "-ldflags=-X github.com/prometheus/common/version.Version=lab", "-o", program, "..")
	text, err := build.CombinedOutput()
	require.NoError(l.t, err, string(text))
	file := l.write("exporter.yml", labConfig)
	for i := range n {
		e := &exporter{address: fmt.Sprintf("127.0.0.1:%d", testserver.Port(l.t))}
		log, err := os.Create(filepath.Join(l.dir, fmt.Sprintf("exporter%d.log", i)))
		require.NoError(l.t, err)
		e.cmd = exec.CommandContext(l.t.Context(), program, "--config.file="+file, "--web.listen-address="+e.address,
			"--storage.path="+filepath.Join(l.dir, fmt.Sprintf("data%d", i)))
		e.cmd.Stdout, e.cmd.Stderr = log, log
		require.NoError(l.t, e.cmd.Start())
		l.t.Cleanup(func() { e.stop(); log.Close() })
		l.exporters = append(l.exporters, e)
		l.eventually("the exporter serves", func() bool {
			response, err := http.Get("http://" + e.address + "/-/ready")
			if err != nil {
				return false
			}
			response.Body.Close()
			return response.StatusCode == http.StatusOK
		})
	}
}

// stop ends the exporter, once.
func (e *exporter) stop() {
	if e.cmd.ProcessState == nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
	}
}

func (l *lab) startPrometheus() {
	rules, err := filepath.Abs(rulesFile)
	require.NoError(l.t, err)
	l.prom = testserver.Prometheus(l.t, fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: servicegroup_exporter
    static_configs: [{targets: [%q, %q]}]
`, rules, l.exporters[0].address, l.exporters[1].address))
}

// await waits until an expression has a sample.
func (l *lab) await(expr string) {
	l.t.Helper()
	l.eventually(expr, func() bool { return len(l.prom.Query(expr)) > 0 })
}

func (l *lab) eventually(what string, check func() bool) {
	l.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if check() {
			return
		}
	}
	l.t.Fatalf("not within %v: %s", patience, what)
}

// outage lets most members of the table die and some recover, and stops and starts ZooKeeper. At the end some members are down,
// one of them in a group whose other member is out of service, and one that is out of service itself.
func (l *lab) outage() {
	l.sql(`UPDATE services SET disabled = 1, disabled_reason = 'rack 7' WHERE host IN ('n2', 'c7')`)
	l.kill("c1", "c2", "c3", "c4", "c5", "c7", "n1", "w1")
	l.await(`count(servicegroup:service_up:max == 0) == 8`)
	l.await(`ALERTS{alertname="ServiceGroupMassFailure", alertstate="firing"}`)
	for _, m := range []string{"c1", "c2", "c3", "c4"} {
		l.join("nova", "compute", m)
	}
	l.zookeeper.Stop()
	// The rules follow after one evaluation.
	l.await(`count(servicegroup_source_up{source="zk"} == 0) == 2 unless on () servicegroup:service_up:max{source="zk"}`)
	l.unreadable[0] = float64(time.Now().Unix() + 1)
	l.unreadable[1] = l.unreadable[0] + 2
	l.eventually("some seconds pass", func() bool { return float64(time.Now().Unix()) > l.unreadable[1] })
	l.zookeeper.Start()
	l.await(`count(servicegroup_source_up == 1) == 4`)
	l.await(`increase(servicegroup_canary_detection_latency_seconds_count[1h]) > 0`)
	l.await(`count(servicegroup:service_up:max == 0) == 4 and on ()
		count_over_time((servicegroup:service_up:max{member="w1"} == 0)[4s:1s]) >= 4`)
}

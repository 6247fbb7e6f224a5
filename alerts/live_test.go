package alerts

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// patience is the time limit for a condition on a busy machine.
const patience = 60 * time.Second

// An environment has what the rules need in production: a database, ZooKeeper, members that are processes, two exporters, and
// a Prometheus that scrapes and evaluates each second.
type environment struct {
	*testing.T
	dir, program string
	db           *sql.DB
	mariadb      *testserver.SQL
	zookeeper    *testserver.ZK
	a, b         *testserver.Process // b reads the database with another account
	addrs        []string
	prom         *testserver.Prom
}

// Prometheus evaluates the rules with the metrics of real exporters of real backends.
func TestRulesWithRealExporters(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	s := newEnvironment(t)
	members := map[string]*testserver.Process{}
	for _, name := range []string{"w1", "w2"} {
		members[name] = s.join("zk", "web", name)
	}
	for _, name := range []string{"n1", "n2", "n3"} {
		members[name] = s.join("nova", "compute", name)
	}
	s.until("all members are up", func() bool { return s.value(`sum(servicegroup:members_in_service)`) == 5 })
	// The first evaluation may have come before the first scrape.
	s.until("no alert fires", func() bool { return len(s.alerts()) == 0 })

	// Two members die in one group, of which one is disabled, and one member dies in the other group.
	_, err := s.db.Exec("UPDATE services SET disabled = 1, disabled_reason = 'rack 7' WHERE host = 'n2'")
	require.NoError(t, err)
	s.until("n2 is out of service", func() bool { return s.value(`servicegroup:members_in_service{group="compute"}`) == 2 })
	for _, name := range []string{"w1", "n1", "n2"} {
		members[name].Kill()
	}
	dead := []string{"MemberDown compute n1", "MemberDown web w1"}
	s.waitForAlerts(dead)
	s.until("n2 is dead", func() bool { return s.value(`max(service_up{member="n2"})`) == 0 })
	s.waitForAlerts(dead)
	began := time.Now()

	// One of two exporters can't read the database.
	_, err = s.db.Exec("REVOKE SELECT ON nova.services FROM b@'%'")
	require.NoError(t, err)
	s.until("b can't read nova", func() bool { return s.value(`count(servicegroup_source_up{source="nova"} == 0)`) == 1 })
	s.waitForAlerts(dead)
	_, err = s.db.Exec("GRANT SELECT ON nova.services TO b@'%'")
	require.NoError(t, err)
	s.until("b can read nova", func() bool { return s.value(`count(servicegroup_source_up == 1)`) == 4 })

	// No exporter can read the database.
	s.mariadb.Kill()
	s.waitForAlerts(append([]string{"SourceUnreachable"}, dead...))
	s.until("nova has no series", func() bool { return s.value(`absent(service_up{source="nova"})`) == 1 })
	s.mariadb.Start()
	s.until("n3 is up", func() bool { return s.value(`min(service_up{member="n3"})`) == 1 })
	s.waitForAlerts(dead)

	// One exporter ends, then the other one. Both are started again.
	s.a.Kill()
	s.waitForAlerts(append([]string{"ExporterDown"}, dead...))
	s.b.Kill()
	s.until("both are down", func() bool { return s.value(`sum(up{job="servicegroup_exporter"})`) == 0 })
	s.waitForAlerts(append([]string{"DataMissing compute", "DataMissing web", "ExporterAllDown"}, dead...))
	s.a.Start()
	s.b.Start()
	s.until("both are back", func() bool { return s.value(`count(servicegroup_source_up == 1)`) == 4 })
	s.waitForAlerts(dead)

	s.requireNothingElseFired(began)
	members["w1"].Start()
	s.until("w1 is up", func() bool { return s.value(`min(service_up{member="w1"})`) == 1 })
	s.until("w1 is not down", func() bool { return s.value(`max(servicegroup_member_down{member="w1"})`) == 0 })
}

// requireNothingElseFired checks that two members were down at each evaluation, and that no other member or group had an alert.
func (s *environment) requireNothingElseFired(began time.Time) {
	s.Helper()
	since := fmt.Sprintf("%ds", int(time.Since(began).Seconds()))
	require.InDelta(s, 2, s.value("min_over_time((count(ALERTS{alertname=\"ServiceGroupMemberDown\"}) or vector(0))["+since+":1s])"), 0,
		"the alert of a dead member was interrupted")
	fired := s.prom.Query(`count by (alertname, member) (count_over_time(ALERTS{alertstate="firing",scope=~"member|group"}[10m]))`)
	var members []string
	for _, sample := range fired {
		members = append(members, sample.Labels["alertname"]+" "+sample.Labels["member"])
	}
	require.ElementsMatch(s, []string{MemberDown + " n1", MemberDown + " w1"}, members)
}

func newEnvironment(t *testing.T) *environment {
	s := &environment{T: t, dir: t.TempDir(), program: testserver.ExporterPath(t)}
	s.mariadb, s.zookeeper = testserver.MariaDB(t), testserver.ZooKeeper(t)
	s.db = s.mariadb.Open(t, "nova")
	schema, err := os.ReadFile("../drivers/db/testdata/zed.sql")
	require.NoError(t, err)
	_, err = s.db.Exec(string(schema) + "CREATE USER b@'%'; GRANT SELECT ON nova.services TO b@'%'")
	require.NoError(t, err)
	s.a, s.b = s.exporter("a", "root"), s.exporter("b", "b")

	rules, err := exec.Command(s.program, "--config.file="+s.config("a"), "rules").Output()
	require.NoError(t, err)
	file := filepath.Join(s.dir, "rules.yml")
	s.write(file, string(rules))
	targets, err := json.Marshal(s.addrs)
	require.NoError(t, err)
	s.prom = testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs: [{job_name: servicegroup_exporter, honor_labels: true, static_configs: [{targets: %s}]}]
`, file, targets))
	return s
}

// exporter starts an exporter that reads the database with an account.
func (s *environment) exporter(name, account string) *testserver.Process {
	s.write(s.config(name), fmt.Sprintf(`sources:
  - name: nova
    driver: db
    db: {dsn: "mysql+pymysql://%s@%s/nova", report_interval: 1s, service_down_time: 8s}
  - name: zk
    driver: zk
    zk: {servers: [%q], session_timeout: 5s}
`, account, s.mariadb.Addr(), s.zookeeper.Addr()))
	addr := fmt.Sprintf("127.0.0.1:%d", testserver.Port(s))
	s.addrs = append(s.addrs, addr)
	return testserver.Program(s, name, []string{
		s.program, "--config.file=" + s.config(name), "--storage.path=" + filepath.Join(s.dir, name),
		"--web.listen-address=" + addr,
	}, func() error { return testserver.ExporterReady(addr) })
}

func (s *environment) config(exporter string) string { return filepath.Join(s.dir, exporter+".yml") }

// join starts a process that is a member.
func (s *environment) join(source, group, name string) *testserver.Process {
	return testserver.Program(s, name, []string{
		s.program, "--config.file=" + s.config("a"), "join", "--source=" + source, group, name,
	}, func() error { return nil }) // The exporters show when the member is up.
}

func (s *environment) write(path, text string) {
	s.Helper()
	require.NoError(s, os.WriteFile(path, []byte(text), 0o600))
}

// value returns the value of an expression; -1: it has no result.
func (s *environment) value(expr string) float64 {
	s.Helper()
	samples := s.prom.Query(expr)
	if len(samples) == 0 {
		return -1
	}
	return samples[0].Value
}

// alerts returns the alerts that are pending or firing, without the watchdog. It does not distinguish the two, because that
// depends on the speed of the machine.
func (s *environment) alerts() []string {
	s.Helper()
	list := []string{}
	for _, a := range s.prom.Alerts() {
		if name := strings.TrimPrefix(a.Labels["alertname"], "ServiceGroup"); name != "Watchdog" {
			words := []string{name, a.Labels["group"], a.Labels["member"]}
			list = append(list, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
		}
	}
	slices.Sort(list)
	return list
}

// waitForAlerts waits until exactly these alerts are pending or firing.
func (s *environment) waitForAlerts(want []string) {
	s.Helper()
	want = slices.Sorted(slices.Values(want))
	var got []string
	differ := func() bool { got = s.alerts(); return !slices.Equal(want, got) }
	for end := time.Now().Add(patience); differ(); time.Sleep(100 * time.Millisecond) {
		require.True(s, time.Now().Before(end), "want %q, got %q", want, got)
	}
}

// until waits until a condition holds.
func (s *environment) until(what string, condition func() bool) {
	s.Helper()
	testserver.Eventually(s, condition, patience, 100*time.Millisecond, "%s", what)
}

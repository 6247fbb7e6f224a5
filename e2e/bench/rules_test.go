package bench

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"servicegroup_exporter/internal/testserver"
)

const (
	ruleMembers = 10_000
	ruleDead    = 500
	// ruleInterval is the time between scrapes, and between rounds of the rules.
	ruleInterval = 5 * time.Second
	// ruleSamples is how many samples the windows of an hour contain when measuring begins: an hour of scrapes each minute, the default.
	ruleSamples = 60
	ruleRounds  = 60
)

const ruleExporter = `
sources:
  - name: nova
    driver: db
    db:
      dsn: sqlite:///%s
      service_down_time: 1h
      schema: custom
      custom: {table: members, group: topic, name: host, binary: binary, zone: zone, heartbeat: [beat], heartbeat_unit: milliseconds,
        disabled: disabled, disabled_reason: reason, forced_down: forced}
`

var otherRules = flag.String("rules", "testdata/chained.rules.yml", "files of rules that BenchmarkRules measures after the shipped ones, separated by commas")

var ruleDuration = regexp.MustCompile(`prometheus_rule_group_last_duration_seconds{rule_group="[^"]*/(\w+)\.rules\.yml;\w+"} (\S+)`)

// BenchmarkRules measures one round of all rules in Debian's Prometheus, with two exporters and 10,000 members: of the shipped rules while
// all members are up, of the shipped rules while 500 are down, and then of other rules: the rules of earlier revisions, or, by default, rules that
// repeat the exporter's decisions. It takes twenty minutes:
//
//	go test ./bench -run '^$' -bench '^BenchmarkRules$' -benchtime 1x -timeout 30m
func BenchmarkRules(b *testing.B) {
	db := ruleTable(b)
	first, second := ruleServe(b, db.path), ruleServe(b, db.path)
	prom := testserver.Prometheus(b, ruleConfig(b, "../../alerts/servicegroup.rules.yml", first, second))
	alive := fmt.Sprintf("count(service_up == 1) == %d", 2*ruleMembers)
	testserver.Eventually(b, func() bool { return len(prom.Query(alive)) > 0 }, time.Minute, time.Second, "all members are up")
	ruleRound(b, prom, "rest-ms")
	db.run(b, "UPDATE members SET beat = 0 WHERE host IN (SELECT host FROM members WHERE topic = 'compute' AND disabled = 0 LIMIT ?)", ruleDead)
	firing := fmt.Sprintf(`count(ALERTS{alertname="ServiceGroupMemberDown"}) >= %d`, ruleDead)
	testserver.Eventually(b, func() bool { return len(prom.Query(firing)) > 0 }, time.Minute, time.Second, "the alerts fire")
	time.Sleep(ruleSamples * ruleInterval)

	ruleRound(b, prom, "shipped-ms")
	for path := range strings.SplitSeq(*otherRules, ",") {
		prom.Reload(ruleConfig(b, path, first, second))
		ruleRound(b, prom, strings.TrimSuffix(filepath.Base(path), ".rules.yml")+"-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// ruleRound reports the median duration of a round.
func ruleRound(b *testing.B, prom *testserver.Prom, unit string) {
	b.Helper()
	time.Sleep(5 * ruleInterval)
	var times []float64
	for range ruleRounds {
		time.Sleep(ruleInterval)
		for _, seconds := range ruleDurations(b, prom) {
			if seconds > 0 { // After a reload it is 0 until the first round has ended.
				times = append(times, seconds)
			}
		}
	}
	require.NotEmpty(b, times, "no round has ended")
	slices.Sort(times)
	b.Logf("%s: %d rounds, %.4f to %.4f s", unit, len(times), times[0], times[len(times)-1])
	b.ReportMetric(1000*times[len(times)/2], unit)
}

// ruleDurations returns how long the last round of each file's rules took, in seconds.
func ruleDurations(b *testing.B, prom *testserver.Prom) map[string]float64 {
	b.Helper()
	response, err := http.Get(prom.URL() + "/metrics")
	require.NoError(b, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	durations := map[string]float64{}
	for _, found := range ruleDuration.FindAllSubmatch(text, -1) {
		durations[string(found[1])], err = strconv.ParseFloat(string(found[2]), 64)
		require.NoError(b, err)
	}
	return durations
}

type ruleDB struct {
	*sql.DB
	path string
}

func (db *ruleDB) run(b *testing.B, statement string, values ...any) {
	b.Helper()
	_, err := db.ExecContext(context.Background(), statement, values...)
	require.NoError(b, err)
}

// ruleTable creates a table with members as a cloud has them, a few of which are disabled.
func ruleTable(b *testing.B) *ruleDB {
	b.Helper()
	path := filepath.Join(b.TempDir(), "members.db")
	opened, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	require.NoError(b, err)
	b.Cleanup(func() { opened.Close() })
	db := &ruleDB{opened, path}
	db.run(b, `CREATE TABLE members (topic TEXT, host TEXT, binary TEXT, zone TEXT, beat INTEGER, disabled INTEGER, reason TEXT, forced INTEGER)`)
	db.run(b, `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
		INSERT INTO members SELECT CASE WHEN i < 5 THEN 'conductor' WHEN i < 10 THEN 'scheduler' ELSE 'compute' END,
			printf('node-%05d.cloud.example.com', i), 'nova', 'az' || (i % 3), ?, i % 100 = 99, iif(i % 100 = 99, 'new disk', ''), 0 FROM n`,
		ruleMembers, time.Now().UnixMilli())
	return db
}

// ruleServe starts the program on a table and returns its address.
func ruleServe(b *testing.B, table string) string {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "exporter.yml")
	require.NoError(b, os.WriteFile(file, fmt.Appendf(nil, ruleExporter, table), 0o600))
	address := fmt.Sprintf("127.0.0.1:%d", testserver.Port(b))
	program := exec.CommandContext(b.Context(), testserver.ExporterPath(b), "--config.file="+file, "--web.listen-address="+address,
		"--storage.path="+filepath.Join(dir, "state"))
	require.NoError(b, program.Start())
	b.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait()
	})
	return address
}

func ruleConfig(b *testing.B, rules, first, second string) string {
	b.Helper()
	path, err := filepath.Abs(rules)
	require.NoError(b, err)
	return fmt.Sprintf(`
global: {scrape_interval: %[1]s, evaluation_interval: %[1]s}
rule_files: [%[2]q]
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs: [{targets: [%[3]q, %[4]q]}]
`, ruleInterval, path, first, second)
}

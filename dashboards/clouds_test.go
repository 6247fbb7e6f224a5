package dashboards_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/dashboards"
	"servicegroup_exporter/internal/testserver"
)

// A cloud is an exporter with a table that has the same groups and members as in every other cloud.
type cloud struct {
	t        testing.TB
	db       *sql.DB
	exporter *exporter
}

// cloudConfig has heartbeats that stay young for longer than any test takes.
const cloudConfig = `
sources:
  - name: nova
    driver: db
    db:
      dsn: sqlite:///%s
      service_down_time: 1h
      schema: custom
      custom: {table: members, group: topic, name: host, heartbeat: [beat], heartbeat_unit: milliseconds}
    poll_interval: 200ms
`

func newCloud(t *testing.T) *cloud {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "members.db")
	c := &cloud{t: t, db: openTable(t, path)}
	c.sql("CREATE TABLE members (topic TEXT, host TEXT, beat INTEGER)")
	for _, member := range []string{"compute c1", "compute c2", "compute c3", "scheduler s1"} {
		var topic, host string
		_, err := fmt.Sscan(member, &topic, &host)
		require.NoError(t, err)
		c.sql("INSERT INTO members VALUES (?, ?, ?)", topic, host, time.Now().UnixMilli())
	}
	file := filepath.Join(dir, "exporter.yml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, cloudConfig, path), 0o600))
	c.exporter = startExporter(t, file, dir)
	return c
}

func openTable(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func (c *cloud) sql(statement string, values ...any) {
	c.t.Helper()
	_, err := c.db.ExecContext(c.t.Context(), statement, values...)
	require.NoError(c.t, err)
}

// clouds starts two clouds and a Prometheus that tells them apart by a target label alone.
func clouds(t *testing.T) (a, b *cloud, prom *testserver.Prom) {
	t.Helper()
	a, b = newCloud(t), newCloud(t)
	prom = testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs:
      - {targets: [%q], labels: {cluster: a}}
      - {targets: [%q], labels: {cluster: b}}
`, a.exporter.address, b.exporter.address))
	return a, b, prom
}

// inCloud is what the dashboards show while one cloud is selected, or all.
type inCloud struct {
	board, tile string
	all, a, b   float64
}

func checkClouds(t *testing.T, prom *testserver.Prom, all map[string]*board, want []inCloud) {
	t.Helper()
	for _, w := range want {
		for cluster, value := range map[string]float64{"": w.all, "a": w.a, "b": w.b} {
			eventually(t, fmt.Sprintf("%s %s in cloud %q is %v", w.board, w.tile, cluster, value), func() bool {
				v := &view{t: t, prom: prom, start: time.Now().Add(-patience), end: time.Now()}
				if cluster != "" {
					v.picked = map[string][]string{"cluster": {cluster}}
				}
				got, known := v.tile(all[w.board], w.tile)
				return known && got == value
			})
		}
	}
}

// Two clouds have the same names. Each is shown as it is, and a living one does not hide the deaths in the other.
func TestClouds(t *testing.T) {
	_, b, prom := clouds(t)
	all := boards(t)
	// This Prometheus has each series twice, as one that federates two others.
	copies := testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {"match[]": ['{job="servicegroup_exporter"}']}
    static_configs:
      - {targets: [%[1]q], labels: {replica: "1"}}
      - {targets: [%[1]q], labels: {replica: "2"}}
`, prom.Addr()))
	checkClouds(t, prom, all, []inCloud{
		{"overview.json", "Members down", 0, 0, 0}, {"overview.json", "Groups in outage", 0, 0, 0}, {"group.json", "Up", 8, 4, 4},
	})

	b.sql("UPDATE members SET beat = 0 WHERE host IN ('c1', 'c2')")
	checkDegraded(t, prom, all["overview.json"], 1)
	checkDegraded(t, prom, overviewFor(t, config.AlertGroup{Source: "nova", Group: "compute", DegradedRatio: 0.9}), 0)
	checkDegraded(t, prom, overviewFor(t, config.AlertGroup{Source: "nova", Group: "scheduler", DegradedRatio: 0.9}), 1)

	b.sql("UPDATE members SET beat = 0")
	dead := []inCloud{
		{"overview.json", "Members down", 4, 0, 4},
		{"overview.json", "Groups in outage", 2, 0, 2},
		{"overview.json", "Sources unreadable", 0, 0, 0},
		{"overview.json", "Exporters down", 0, 0, 0},
		{"group.json", "Up", 4, 4, 0},
		{"group.json", "Down", 4, 0, 4},
		{"group.json", "Unknown", 0, 0, 0},
	}
	checkClouds(t, prom, all, dead)
	checkClouds(t, copies, all, dead)
	checkDeadOfCloud(t, prom, all["overview.json"], 1)

	// Members that were down stay so while the source can't be read.
	b.sql("ALTER TABLE members RENAME TO renamed")
	lost := []inCloud{
		{"overview.json", "Sources unreadable", 1, 0, 1},
		{"overview.json", "Members down", 4, 0, 4},
		{"overview.json", "Groups in outage", 2, 0, 2},
		{"overview.json", "Members unknown", 4, 0, 4},
		{"group.json", "Down", 4, 0, 4},
	}
	checkClouds(t, prom, all, lost)
	checkClouds(t, copies, all, lost)
	checkDeadOfCloud(t, prom, all["overview.json"], 0)
}

// overviewFor returns the overview for a configuration with settings of a group.
func overviewFor(t *testing.T, g config.AlertGroup) *board {
	t.Helper()
	o := dashboards.Options{
		ClusterLabel: "cluster", ScrapeInterval: time.Minute, DegradedLimits: alerts.DegradedLimits(&config.Alerting{Groups: []config.AlertGroup{g}}),
	}
	text, err := o.Build("overview")
	require.NoError(t, err)
	b := &board{}
	require.NoError(t, json.Unmarshal(text, b))
	return b
}

// checkDegraded checks whether a group of cloud b is degraded, two of whose three members are down. No other group is.
func checkDegraded(t *testing.T, prom *testserver.Prom, b *board, want float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("compute in cloud b: degraded is %v", want), func() bool {
		v := &view{t: t, prom: prom, start: time.Now().Add(-patience), end: time.Now()}
		known := false
		for _, r := range v.rows(b, b.panel(t, "Groups")) {
			if r["Cluster"] == "b" && r["Group"] == "compute" {
				known = r["Down"] == 2.0 && r["Degraded"] == want
			} else {
				require.InDelta(t, 0, r["Degraded"], 0, r)
			}
		}
		return known
	})
}

// checkDeadOfCloud checks the table of members that are down. All are in cloud b; state is 1 if that is known, and 0 if it is the last
// that was known.
func checkDeadOfCloud(t *testing.T, prom *testserver.Prom, b *board, state float64) {
	t.Helper()
	v := &view{t: t, prom: prom, start: time.Now().Add(-patience), end: time.Now()}
	var members []any
	for _, r := range v.rows(b, b.panel(t, "Members that are down")) {
		require.Equal(t, "b", r["Cluster"])
		require.InDelta(t, state, r["State"], 0)
		members = append(members, r["Member"])
	}
	require.ElementsMatch(t, []any{"c1", "c2", "c3", "s1"}, members)
	for _, p := range b.panels() {
		if p.Type == "table" {
			require.Contains(t, p.columns(), "Cluster", p.Title)
		}
	}
}

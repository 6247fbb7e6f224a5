package evaluators

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"

	"github.com/stretchr/testify/require"
)

const (
	// interval is the time between scrapes, and between evaluations.
	interval = 5 * time.Second
	// keepFiring is how long alerts about members and groups keep firing after a recovery.
	keepFiring = 10 * time.Second
	// patience is the time limit for a condition on a busy machine.
	patience = 4 * time.Minute
)

// A cloud has members that report heartbeats in a table of Nova, and an exporter that reads the table.
type cloud struct {
	*testing.T
	name     string // the value of its label "cluster"
	config   string // the path of the exporter's configuration
	exporter *testserver.Process
	web      string // the exporter's address

	db       *sql.DB
	database string
	mu       sync.Mutex
	dead     map[string]bool // by host
}

// newCloud starts a cloud with six computes and two schedulers. alertmanagers are the URLs that the exporter posts alerts to.
func newCloud(t *testing.T, server *testserver.SQL, name string, alertmanagers ...string) *cloud {
	c := &cloud{T: t, name: name, database: "nova_" + name, dead: map[string]bool{}}
	c.db = server.Open(t, c.database)
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(t), "drivers", "db", "testdata", "zed.sql"))
	require.NoError(t, err)
	c.exec(string(schema))
	c.exec("CREATE USER exporter_" + name + "@'%'")
	c.letExporterRead(true)
	for group, hosts := range map[string][]string{"compute": {"c1", "c2", "c3", "c4", "c5", "c6"}, "scheduler": {"s1", "s2"}} {
		for _, host := range hosts {
			c.exec("INSERT INTO services (host, `binary`, topic, report_count, disabled, deleted, forced_down, created_at, last_seen_up) "+
				"VALUES (?, ?, ?, 0, 0, 0, 0, UTC_TIMESTAMP(), UTC_TIMESTAMP())", host, "nova-"+group, group)
		}
	}
	c.reportHeartbeats()
	c.startExporter(server.Addr(), alertmanagers)
	return c
}

func (c *cloud) exec(query string, args ...any) {
	c.Helper()
	_, err := c.db.ExecContext(c.Context(), query, args...)
	require.NoError(c, err)
}

// reportHeartbeats makes all members report each second, unless they are dead.
func (c *cloud) reportHeartbeats() {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	c.Cleanup(func() { cancel(); done.Wait() })
	done.Go(func() {
		for ticker := time.NewTicker(time.Second); ; {
			c.mu.Lock()
			query, dead := "UPDATE services SET report_count = report_count + 1, last_seen_up = UTC_TIMESTAMP() WHERE host NOT IN (''", []any{}
			for host := range c.dead {
				query, dead = query+", ?", append(dead, host)
			}
			c.mu.Unlock()
			if _, err := c.db.ExecContext(ctx, query+")", dead...); err != nil && ctx.Err() == nil {
				c.Errorf("reporting heartbeats: %v", err)
			}
			select {
			case <-ctx.Done():
				ticker.Stop()
				return
			case <-ticker.C:
			}
		}
	})
}

// setDead makes members stop or resume their heartbeats.
func (c *cloud) setDead(dead bool, hosts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, host := range hosts {
		if delete(c.dead, host); dead {
			c.dead[host] = true
		}
	}
}

// letExporterRead lets the exporter read the table, or forbids it.
func (c *cloud) letExporterRead(yes bool) {
	if yes {
		c.exec(fmt.Sprintf("GRANT SELECT ON %s.services TO exporter_%s@'%%'", c.database, c.name))
	} else {
		c.exec(fmt.Sprintf("REVOKE SELECT ON %s.services FROM exporter_%s@'%%'", c.database, c.name))
	}
}

func (c *cloud) startExporter(server string, alertmanagers []string) {
	dir := testserver.TempDir(c)
	c.config = filepath.Join(dir, "exporter.yml")
	var bridge []string
	for _, url := range alertmanagers {
		bridge = append(bridge, fmt.Sprintf("{url: %q}", url))
	}
	write(c.T, c.config, fmt.Sprintf(`sources:
  - name: nova
    driver: db
    db: {dsn: "mysql+pymysql://exporter_%s@%s/%s", service_down_time: 6s, report_interval: 1s}
    poll_interval: 1s
alerting:
  alertmanagers: [%s]
  external_labels: {}
  scrape_interval: %s
  evaluation_interval: %s
  keep_firing_for: %s
`, c.name, server, c.database, strings.Join(bridge, ", "), interval, interval, keepFiring))
	c.web = fmt.Sprintf("127.0.0.1:%d", testserver.Port(c))
	c.exporter = testserver.Program(c, "exporter of cloud "+c.name, []string{
		testserver.ExporterPath(c), "--config.file=" + c.config, "--storage.path=" + filepath.Join(dir, "state"),
		"--web.listen-address=" + c.web, "--log.level=warn",
	}, func() error { return testserver.ExporterReady(c.web) })
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

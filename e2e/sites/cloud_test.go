package sites

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"servicegroup_exporter/internal/testserver"
)

// all adds what takes minutes, and newer programs than Debian's.
var all = flag.Bool("all", false, "test also what takes minutes, and what make evaluators builds")

const (
	// patience is the time limit for a condition on a busy machine.
	patience = 2 * time.Minute
	pause    = 100 * time.Millisecond
	// heartbeatTimeout is long, so that members need no heartbeats during the test. A member dies when its heartbeat is set back.
	heartbeatTimeout = time.Hour
)

// A cloud has members in a table, and an exporter with one source that reads it.
type cloud struct {
	*testing.T
	source   string
	members  *sql.DB
	config   string // the path of the exporter's configuration
	exporter *testserver.Process
	web      string // the exporter's address
}

// newCloud starts a cloud with four members of compute, c1 to c4, and two of scheduler, s1 and s2. The settings are sections of
// the exporter's configuration.
func newCloud(t *testing.T, source, settings string) *cloud {
	t.Helper()
	dir := testserver.TempDir(t)
	c := &cloud{T: t, source: source, config: filepath.Join(dir, "exporter.yml")}
	path := filepath.Join(dir, "members.db")
	var err error
	c.members, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	require.NoError(t, err)
	t.Cleanup(func() { c.members.Close() })
	c.run(`CREATE TABLE members (pool TEXT, host TEXT, beat INTEGER, off INTEGER DEFAULT 0, reason TEXT DEFAULT '', PRIMARY KEY (pool, host))`)
	for _, host := range []string{"c1", "c2", "c3", "c4"} {
		c.add("compute", host)
	}
	c.add("scheduler", "s1")
	c.add("scheduler", "s2")
	require.NoError(t, os.WriteFile(c.config, []byte(fmt.Sprintf(`sources:
  - name: %s
    driver: db
    db:
      dsn: sqlite:///%s
      schema: custom
      service_down_time: %s
      custom: {table: members, group: pool, name: host, heartbeat: [beat], heartbeat_unit: milliseconds, disabled: 'off', disabled_reason: reason}
%s`, source, path, heartbeatTimeout, settings)), 0o600))
	c.exporter, c.web = c.start()
	return c
}

// start starts an exporter of the cloud, and returns its address.
func (c *cloud) start() (*testserver.Process, string) {
	c.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", testserver.Port(c))
	return testserver.Program(c, "exporter", []string{
		testserver.ExporterPath(c), "--config.file=" + c.config, "--storage.path=" + testserver.TempDir(c), "--web.listen-address=" + addr,
	}, func() error { return testserver.ExporterReady(addr) }), addr
}

func (c *cloud) run(statement string, arguments ...any) {
	c.Helper()
	_, err := c.members.ExecContext(context.Background(), statement, arguments...)
	require.NoError(c, err)
}

// add adds a live member.
func (c *cloud) add(group, host string) {
	c.Helper()
	c.run("INSERT INTO members (pool, host, beat) VALUES (?, ?, ?)", group, host, time.Now().UnixMilli())
}

// die makes members die: the heartbeat timeout has just passed.
func (c *cloud) die(hosts ...string) {
	c.Helper()
	for _, host := range hosts {
		c.run("UPDATE members SET beat = ? WHERE host = ?", time.Now().Add(-heartbeatTimeout-time.Second).UnixMilli(), host)
	}
}

// revive makes members report.
func (c *cloud) revive(hosts ...string) {
	c.Helper()
	for _, host := range hosts {
		c.run("UPDATE members SET beat = ? WHERE host = ?", time.Now().UnixMilli(), host)
	}
}

// hold matches how long a condition must last before an alert fires.
var hold = regexp.MustCompile(`(?m)^( *for: ).*$`)

// rules writes the rules that the exporter prints for its configuration to a file, and returns its path. Each alert fires after
// one second, and a last rule records that all were evaluated. The replacements are pairs of old and new text.
func (c *cloud) rules(replacements ...string) string {
	c.Helper()
	text, err := exec.CommandContext(c.Context(), testserver.ExporterPath(c), "--config.file="+c.config, "rules").Output()
	require.NoError(c, err)
	for i := 0; i < len(replacements); i += 2 {
		require.Contains(c, string(text), replacements[i])
	}
	short := strings.NewReplacer(replacements...).Replace(hold.ReplaceAllString(string(text), "${1}1s"))
	path := filepath.Join(testserver.TempDir(c), "servicegroup.rules.yml")
	require.NoError(c, os.WriteFile(path, []byte(short+"      - {record: evaluated, expr: vector(1)}\n"), 0o600))
	return path
}

package docs_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A site is where a page is followed: Nova's table in a real database, and this program, which reads it. Its folder stands
// for the root of the site's machine.
type site struct {
	dir      string
	address  string // of the exporter, in place of localhost:10199
	database *testserver.SQL
	nova     *sql.DB
	exporter *testserver.Process
	others   []string // what is otherwise than on the pages, each followed by what it is here
}

// newSite returns a site whose exporter does not run yet. Its database server has these arguments.
func newSite(t *testing.T, databaseArgs ...string) *site {
	t.Helper()
	s := &site{dir: testserver.TempDir(t), address: fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))}
	s.database = testserver.MariaDB(t, databaseArgs...)
	s.nova = s.database.Open(t, "nova")
	table, err := os.ReadFile("../drivers/db/testdata/zed.sql")
	require.NoError(t, err)
	s.sql(t, string(table))
	for _, dir := range []string{"bin", "etc/servicegroup_exporter", "var/lib/servicegroup_exporter"} {
		require.NoError(t, os.MkdirAll(filepath.Join(s.dir, dir), 0o755))
	}
	require.NoError(t, os.Symlink(testserver.ExporterPath(t), filepath.Join(s.dir, "bin/servicegroup_exporter")))
	s.command(t, "sudo", sudo)
	s.command(t, "systemctl", systemctl)
	_, port, _ := strings.Cut(s.database.Addr(), ":")
	t.Setenv("SITE", s.dir)
	t.Setenv("EXPORTER", s.address)
	t.Setenv("DATABASE_PORT", port)
	t.Setenv("PATH", filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH")+":/usr/sbin")
	s.others = []string{"localhost:10199", s.address, "/etc/servicegroup_exporter", s.path("etc"), "/var/lib/servicegroup_exporter", s.path("var/lib")}
	return s
}

// sudo stands for the command that runs others as another user, and systemctl for that of systemd: it starts and stops the exporter.
const (
	sudo = `#!/bin/sh
set -eu
[ "$1" != -u ] || shift 2
command=$1
shift
case $command in
mariadb) exec mariadb --no-defaults --protocol=tcp --host=127.0.0.1 --port="$DATABASE_PORT" --user=root "$@" ;;
install) [ "$1" != -o ] || shift 4 ;;
nft) [ "$(id -u)" = 0 ] || exec unshare --map-root-user --net nft "$@" ;;
esac
exec $command "$@"
`
	systemctl = `#!/bin/sh
set -eu
cd "$SITE"
ARGS=--config.file=etc/servicegroup_exporter/servicegroups.yml
[ ! -f etc/default/servicegroup_exporter ] || . etc/default/servicegroup_exporter
stop() {
	[ -f pid ] || return 0
	kill "$(cat pid)"
	while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.1; done
}
start() {
	servicegroup_exporter --storage.path=var/lib/servicegroup_exporter --web.listen-address="$EXPORTER" $ARGS >>exporter.log 2>&1 &
	echo $! >pid
}
case "$*" in
"restart servicegroup_exporter") stop; start ;;
"stop servicegroup_exporter") stop ;;
"start servicegroup_exporter") start ;;
"reload prometheus") curl -sf -X POST "http://$PROMETHEUS/-/reload" ;;
*) echo "no such command: $*" >&2; exit 2 ;;
esac
`
)

// path returns the path at the site of a folder of the exporter's.
func (s *site) path(dir string) string { return filepath.Join(s.dir, dir, "servicegroup_exporter") }

// sql runs statements in Nova's database.
func (s *site) sql(t *testing.T, statements string) {
	t.Helper()
	_, err := s.nova.ExecContext(t.Context(), statements)
	require.NoError(t, err, statements)
}

// member writes the row of a member as Nova does, with the age of its last heartbeat. Members that are less than an hour old are up.
func (s *site) member(t *testing.T, group, name string, age time.Duration) {
	t.Helper()
	_, err := s.nova.ExecContext(t.Context(), "REPLACE INTO services (created_at, last_seen_up, host, topic, `binary`, report_count, deleted, disabled, forced_down, uuid) "+
		"VALUES (UTC_TIMESTAMP(), UTC_TIMESTAMP() - INTERVAL ? SECOND, ?, ?, ?, 1, 0, 0, 0, UUID())", int(age.Seconds()), name, group, "nova-"+group)
	require.NoError(t, err)
}

// configure writes the exporter's configuration, and returns its path.
func (s *site) configure(t *testing.T, config string) string {
	t.Helper()
	file := filepath.Join(s.path("etc"), "servicegroups.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	return file
}

// command writes a command that stands for one that tests can't run.
func (s *site) command(t *testing.T, name, script string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "bin", name), []byte(script), 0o755))
}

// serve starts the exporter with a configuration and arguments.
func (s *site) serve(t *testing.T, config string, args ...string) {
	t.Helper()
	file := s.configure(t, config)
	argv := append([]string{
		filepath.Join(s.dir, "bin/servicegroup_exporter"), "--config.file=" + file, "--storage.path=" + s.path("var/lib"), "--web.listen-address=" + s.address,
	}, args...)
	s.exporter = testserver.Program(t, "servicegroup_exporter", argv, func() error { return testserver.ExporterReady(s.address) })
}

// source returns the configuration of a source that reads Nova's table.
func (s *site) source() string {
	return fmt.Sprintf("sources: [{name: nova, driver: db, poll_interval: 200ms, db: {dsn: %q, service_down_time: 1h}}]\n", "mysql://root@"+s.database.Addr()+"/nova")
}

// follow takes the steps of a page, and requires so many commands.
func (s *site) follow(t *testing.T, page string, commands int) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	s.take(t, string(text), commands)
}

// take is follow for a part of a page.
func (s *site) take(t *testing.T, text string, commands int) {
	t.Helper()
	f := &follower{s.dir, strings.NewReplacer(s.others...)}
	require.Equal(t, commands, f.take(t, text)["run"])
}

// parts returns the parts of a page, each of which begins with a heading, by their headings.
func parts(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	all := map[string]string{}
	for part := range strings.SplitSeq(string(text), "\n## ") {
		heading, _, _ := strings.Cut(part, "\n")
		all[strings.TrimPrefix(heading, "# ")] = part
	}
	return all
}

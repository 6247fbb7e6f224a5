package bench

import (
	"bufio"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

// A store is a way to store members, all of which are up.
type store struct {
	name string
	// prepare writes members to a real server and returns the configuration that reads them.
	prepare func(b *testing.B, members int) string
	// beat writes a new heartbeat of every member before each scrape. If it is nil, nothing changes between scrapes.
	beat func(b *testing.B)
}

func stores() []store {
	beating := &beatingMariaDB{}
	return []store{
		{name: "sqlite", prepare: prepareSQLite},
		{name: "mariadb", prepare: prepareMariaDB},
		{name: "mariadb, minimal metrics", prepare: func(b *testing.B, members int) string {
			return strings.Replace(prepareMariaDB(b, members), "driver: db,", "driver: db, member_metrics: minimal,", 1)
		}},
		{name: "mariadb, all beat", prepare: beating.prepare, beat: beating.beat},
		{name: "zookeeper, flat", prepare: prepareZooKeeper},
		{name: "zookeeper, nested", prepare: prepareNested},
		{name: "memcached", prepare: prepareMemcached},
		{name: "sqlite, 200 sources", prepare: prepareManySources},
	}
}

// memberName returns a member name of realistic length.
func memberName(i int) string { return fmt.Sprintf("compute-%06d.example.com", i) }

// sqlRows returns statements that insert the rows of live members, a thousand per statement.
func sqlRows(members int, now string) []string {
	var statements []string
	for first := 0; first < members; first += 1000 {
		var values []string
		for i := first; i < min(first+1000, members); i++ {
			values = append(values, fmt.Sprintf("(%s, '%s', 'nova-compute', 'compute', 1, 0, 0, %s, 0, '%036d')",
				now, memberName(i), now, i))
		}
		statements = append(statements, "INSERT INTO services (created_at, host, `binary`, topic, report_count, disabled,"+
			" deleted, last_seen_up, forced_down, uuid) VALUES "+strings.Join(values, ","))
	}
	return statements
}

func prepareMariaDB(b *testing.B, members int) string {
	_, text := startMariaDB(b, members)
	return text
}

func startMariaDB(b *testing.B, members int) (db *sql.DB, text string) {
	server := testserver.MariaDB(b)
	db = server.Open(b, "nova")
	for _, statement := range append([]string{novaSchema(b)}, sqlRows(members, "UTC_TIMESTAMP()")...) {
		_, err := db.ExecContext(b.Context(), statement)
		require.NoError(b, err)
	}
	return db, fmt.Sprintf(`sources: [{name: bench, driver: db, db: {dsn: "%s", service_down_time: 24h, timeout: 60s}}]`,
		server.DSN("nova"))
}

// A beatingMariaDB is a table whose members all write a heartbeat between two scrapes, as Nova services do.
type beatingMariaDB struct{ db *sql.DB }

func (m *beatingMariaDB) prepare(b *testing.B, members int) (text string) {
	m.db, text = startMariaDB(b, members)
	return text
}

func (m *beatingMariaDB) beat(b *testing.B) {
	_, err := m.db.ExecContext(b.Context(),
		"UPDATE services SET last_seen_up = last_seen_up + INTERVAL 1 SECOND, report_count = report_count + 1")
	require.NoError(b, err)
}

func prepareSQLite(b *testing.B, members int) string {
	return "sources: [" + sqliteSource(b, "bench", members) + "]"
}

// prepareManySources distributes the members over 200 sources.
func prepareManySources(b *testing.B, members int) string {
	const count = 200
	sources := make([]string, count)
	for i := range sources {
		sources[i] = sqliteSource(b, fmt.Sprintf("bench%03d", i), members/count)
	}
	return "sources: [" + strings.Join(sources, ",\n") + "]"
}

func sqliteSource(b *testing.B, name string, members int) string {
	path := filepath.Join(b.TempDir(), "bench.db")
	source := fmt.Sprintf(`{name: %s, driver: db, db: {dsn: "sqlite:///%s", service_down_time: 24h}}`, name, path)
	createSQLite(b, "sources: ["+source+"]")
	db := openSQLite(b, path)
	for _, statement := range sqlRows(members, "datetime('now')") {
		_, err := db.ExecContext(b.Context(), statement)
		require.NoError(b, err)
	}
	require.NoError(b, db.Close())
	return source
}

// novaSchema returns the table definition that Nova's own tools produced.
func novaSchema(b *testing.B) string {
	schema, err := os.ReadFile("../../drivers/db/testdata/zed.sql")
	require.NoError(b, err)
	return string(schema)
}

func openSQLite(b *testing.B, path string) *sql.DB {
	db, err := sql.Open("sqlite", path)
	require.NoError(b, err)
	b.Cleanup(func() { db.Close() })
	return db
}

// createSQLite lets the program create its embedded store: a member joins and leaves.
func createSQLite(b *testing.B, text string) {
	cfg, err := sources.Parse("bench.yml", []byte(text))
	require.NoError(b, err)
	driver, err := sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources()[0].Open(slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	defer driver.Close()
	membership, err := driver.(drivers.Joiner).Join(b.Context(), drivers.JoinRequest{Group: "compute", Name: "first"})
	require.NoError(b, err)
	require.NoError(b, membership.Leave(b.Context()))
}

// prepareZooKeeper makes a flat group as Join does, with an ephemeral znode and a roster znode per member, in one session.
func prepareZooKeeper(b *testing.B, members int) string {
	return fillZooKeeper(b, members, func(name string) []*zk.CreateRequest {
		return []*zk.CreateRequest{
			{Path: "/servicegroups/compute/" + name, Flags: zk.FlagEphemeral},
			{Path: "/servicegroups/.roster/compute/" + name, Data: []byte("{}")},
		}
	})
}

// prepareNested makes a group with the layout of Nova 2015.1.0b2.
func prepareNested(b *testing.B, members int) string {
	return fillZooKeeper(b, members, func(name string) []*zk.CreateRequest {
		return []*zk.CreateRequest{
			{Path: "/servicegroups/compute/" + name, Data: []byte("ZKMembers")},
			{Path: "/servicegroups/compute/" + name + "/1", Flags: zk.FlagEphemeral},
		}
	})
}

func fillZooKeeper(b *testing.B, members int, nodes func(name string) []*zk.CreateRequest) string {
	server := testserver.ZooKeeper(b, "maxSessionTimeout=120000")
	conn, _, err := zk.Connect([]string{server.Addr()}, 60*time.Second, zk.WithLogInfo(false))
	require.NoError(b, err)
	b.Cleanup(conn.Close)
	acl := zk.WorldACL(zk.PermAll)
	for _, path := range []string{
		"/servicegroups", "/servicegroups/compute", "/servicegroups/.roster", "/servicegroups/.roster/compute",
	} {
		_, err := conn.Create(path, nil, 0, acl)
		require.NoError(b, err)
	}
	for first := 0; first < members; first += 500 {
		var ops []any
		for i := first; i < min(first+500, members); i++ {
			for _, node := range nodes(memberName(i)) {
				node.Acl = acl
				ops = append(ops, node)
			}
		}
		_, err := conn.Multi(ops...)
		require.NoError(b, err)
	}
	return fmt.Sprintf(`sources: [{name: bench, driver: zk, zk: {servers: ["%s"], session_timeout: 30s}}]`, server.Addr())
}

// prepareMemcached writes heartbeats as Nova did before release 14, whose keys are plain text.
func prepareMemcached(b *testing.B, members int) string {
	server := testserver.Memcached(b, "-m", "512")
	conn, err := net.Dial("tcp", server.Addr())
	require.NoError(b, err)
	defer conn.Close()
	names := make([]string, members)
	buffer := bufio.NewWriter(conn)
	for i := range names {
		names[i] = memberName(i)
		fmt.Fprintf(buffer, "set compute:%s 0 0 4 noreply\r\nTrue\r\n", names[i])
	}
	fmt.Fprint(buffer, "version\r\n")
	require.NoError(b, buffer.Flush())
	_, err = bufio.NewReader(conn).ReadString('\n')
	require.NoError(b, err)
	return fmt.Sprintf(`sources: [{name: bench, driver: mc, mc: {servers: ["%s"], key_format: plain}, roster: {members: {compute: [%s]}}}]`,
		server.Addr(), strings.Join(names, ", "))
}

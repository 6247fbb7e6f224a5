package cli

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/web"
)

// BenchmarkScrape measures whole scrapes, from the request to the last byte of the answer, of members that live in a
// real server. `make bench` prints its results as the README's table.
func BenchmarkScrape(b *testing.B) {
	backends := []struct {
		name    string
		prepare func(b *testing.B, members int) string
	}{
		{"sqlite", prepareSQLite},
		{"mariadb", prepareMariaDB},
		{"zookeeper", prepareZooKeeper},
	}
	for _, backend := range backends {
		for _, members := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/members=%d", backend.name, members), func(b *testing.B) {
				cfg, err := config.Parse("bench.yml", []byte(backend.prepare(b, members)))
				require.NoError(b, err)
				benchmarkScrape(b, cfg.Sources, members)
			})
		}
	}
}

// benchmarkScrape scrapes a source over and over.
func benchmarkScrape(b *testing.B, sources []config.Source, members int) {
	registry := prometheus.NewRegistry()
	c, err := collector.New(collector.Options{Registerer: registry})
	require.NoError(b, err)
	defer c.Close()
	registry.MustRegister(c)

	var driver drivers.Driver
	configs := collectorSources(sources, slog.New(slog.DiscardHandler))
	open := configs[0].Open
	configs[0].Open = func() (drivers.Driver, error) {
		var err error
		driver, err = open()
		return driver, err
	}
	require.NoError(b, c.Apply(configs))

	options := web.DefaultOptions()
	options.Gatherer, options.Registerer, options.Poll = registry, registry, c.Poll
	handler, err := web.New(options)
	require.NoError(b, err)

	scrape := func() *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer
	}
	first := scrape().Body.String() // Connections are made and every member is seen for the first time.
	require.Equal(b, members, strings.Count(first, "\nservice_up{"), "some members are not served")

	counter := driver.(drivers.Counter)
	before := counter.Counts().Operations
	b.ReportAllocs()
	for b.Loop() {
		scrape()
	}
	b.ReportMetric(float64(counter.Counts().Operations-before)/float64(b.N), "requests/op")
	b.ReportMetric(float64(len(first)), "answer-bytes")
}

// memberName is a name of a usual length.
func memberName(i int) string { return fmt.Sprintf("compute-%06d.example.com", i) }

// sqlRows gives statements that insert live rows, a thousand at a time.
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
	server := testserver.MariaDB(b)
	db := server.Open(b, "nova")
	for _, statement := range append([]string{novaSchema(b)}, sqlRows(members, "UTC_TIMESTAMP()")...) {
		_, err := db.ExecContext(b.Context(), statement)
		require.NoError(b, err)
	}
	return fmt.Sprintf(`sources: [{name: bench, driver: db, db: {dsn: "%s", service_down_time: 24h, timeout: 60s}}]`,
		server.DSN("nova"))
}

func prepareSQLite(b *testing.B, members int) string {
	path := filepath.Join(b.TempDir(), "bench.db")
	text := fmt.Sprintf(`sources: [{name: bench, driver: db, db: {dsn: "sqlite:///%s", service_down_time: 24h}}]`, path)
	makeEmbedded(b, text)
	db := openSQLite(b, path)
	for _, statement := range sqlRows(members, "datetime('now')") {
		_, err := db.ExecContext(b.Context(), statement)
		require.NoError(b, err)
	}
	return text
}

// novaSchema is the table as Nova's own tools made it.
func novaSchema(b *testing.B) string {
	schema, err := os.ReadFile("../drivers/db/testdata/zed.sql")
	require.NoError(b, err)
	return string(schema)
}

func openSQLite(b *testing.B, path string) *sql.DB {
	db, err := sql.Open("sqlite", path)
	require.NoError(b, err)
	b.Cleanup(func() { db.Close() })
	return db
}

// makeEmbedded makes an empty embedded store the way the program does: somebody joins, and leaves again.
func makeEmbedded(b *testing.B, text string) {
	cfg, err := config.Parse("bench.yml", []byte(text))
	require.NoError(b, err)
	driver, err := cfg.Sources[0].Open(slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	defer driver.Close()
	membership, err := driver.(drivers.Joiner).Join(b.Context(), drivers.JoinRequest{Group: "compute", Name: "first"})
	require.NoError(b, err)
	require.NoError(b, membership.Leave(b.Context()))
}

// prepareZooKeeper makes a flat group as Join does, an ephemeral and a record for each member, all of one session.
func prepareZooKeeper(b *testing.B, members int) string {
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
			ops = append(ops,
				&zk.CreateRequest{Path: "/servicegroups/compute/" + memberName(i), Acl: acl, Flags: zk.FlagEphemeral},
				&zk.CreateRequest{Path: "/servicegroups/.roster/compute/" + memberName(i), Data: []byte("{}"), Acl: acl})
		}
		_, err := conn.Multi(ops...)
		require.NoError(b, err)
	}
	return fmt.Sprintf(`sources: [{name: bench, driver: zk, zk: {servers: ["%s"]}}]`, server.Addr())
}

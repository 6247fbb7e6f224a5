package app

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/web"
)

// Two scrapers with different timeouts read a database whose answer takes longer than one of them waits. The patient one reads it,
// the end of the hurried one costs nothing, and all others see what is known.
func TestScrapersWithDifferentTimeouts(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	for name, begin := range map[string]func(hurried, patient func()){
		"the hurried one begins": func(hurried, patient func()) { hurried(); patient() },
		"the patient one begins": func(hurried, patient func()) { patient(); hurried() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for part, slow := range map[string]func(*askers, *testing.T) (answer func()){
				"query": (*askers).lock, "connection": (*askers).holdLogin,
			} {
				t.Run(part, func(t *testing.T) {
					a := newAskers(t, server)
					answer := slow(a, t)
					var patient, late string
					var done sync.WaitGroup
					begin(func() { late = a.scrape("0.2") }, func() {
						done.Go(func() { patient = a.scrape("60") })
						testserver.Eventually(t, a.polling, time.Minute, time.Millisecond, "the poll is in flight")
					})
					require.Contains(t, late, `servicegroup_source_up{source="nova"} 0`, "nothing recent is known to the hurried one")
					require.NotContains(t, late, `service_up{`)
					require.Contains(t, late, `servicegroup_members{group="compute",source="nova",state="unknown"} 2`)
					a.othersKnow()
					answer()
					done.Wait()
					require.Contains(t, patient, `servicegroup_source_up{source="nova"} 1`)
					require.Contains(t, patient, `service_up{binary="nova-compute",group="compute",member="h1",source="nova",zone=""} 1`)
					a.costNothing()
				})
			}
		})
	}
}

// A scraper whose scrapes never overlap the scrapes of a more patient one does no harm either: it breaks no connection.
func TestScrapersThatDoNotOverlap(t *testing.T) {
	t.Parallel()
	a := newAskers(t, testserver.MariaDB(t))
	for range 2 {
		answer := a.lock(t)
		for range 3 {
			require.Contains(t, a.scrape("0.2"), `servicegroup_source_up{source="nova"} 0`)
		}
		time.AfterFunc(time.Second+200*time.Millisecond, answer) // longer than the shortest deadline of a poll
		testserver.Eventually(t, func() bool { return strings.Contains(a.scrape("0.2"), `servicegroup_source_up{source="nova"} 1`) },
			time.Minute, 10*time.Millisecond, "the hurried one shows what the poll has found")
	}
	require.Contains(t, a.scrape("60"), `servicegroup_source_up{source="nova"} 1`)
	a.costNothing()
}

// A client that goes away in the middle of a scrape, of a page or of a stream is not a failure of the source either: those who stay see no
// outage, and who is patient reads it.
func TestClientsThatGoAway(t *testing.T) {
	t.Parallel()
	a := newAskers(t, testserver.MariaDB(t))
	var stays testserver.Log
	go a.follow(t.Context(), "/api/v1/events/stream", &stays)
	polled := func(than int) {
		t.Helper()
		testserver.Eventually(t, func() bool {
			a.scrape("60")
			return strings.Count(stays.String(), "event: poll") > than
		}, time.Minute, 10*time.Millisecond, "the stream shows polls")
	}
	polled(0)
	answer := a.lock(t)
	for _, path := range []string{"/metrics", "/api/v1/events/stream", "/metrics", "/"} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { a.follow(ctx, path, io.Discard); close(ended) }()
		if path == "/metrics" {
			testserver.Eventually(t, a.polling, time.Minute, time.Millisecond, "the poll is in flight")
		}
		cancel()
		<-ended
		a.othersKnow()
	}
	require.Contains(t, a.scrape("0.2"), `servicegroup_source_up{source="nova"} 0`, "nothing recent is known")
	answer()
	require.Contains(t, a.scrape("60"), `servicegroup_source_up{source="nova"} 1`)
	a.costNothing()
	polled(strings.Count(stays.String(), "event: poll"))
	require.NotContains(t, stays.String(), "source_lost")
}

// askers is a server with one source, a table of Nova's services.
type askers struct {
	*App
	t   *testing.T
	db  *sql.DB
	log *testserver.Log

	mu   sync.Mutex
	gate chan struct{}       // while it is not closed, new connections to the database wait
	used map[net.Conn]func() // closes a connection to the database
}

func newAskers(t *testing.T, server *testserver.SQL) *askers {
	t.Helper()
	database := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
	if len(database) > 60 {
		database = database[len(database)-60:]
	}
	a := &askers{t: t, db: server.Open(t, database), log: &testserver.Log{}, used: map[net.Conn]func(){}}
	for _, statement := range []string{
		`CREATE TABLE services (id int AUTO_INCREMENT PRIMARY KEY, created_at datetime, updated_at datetime, host varchar(255), ` +
			"`binary`" + ` varchar(255), topic varchar(255), report_count int, disabled tinyint, deleted int, last_seen_up datetime,
			forced_down tinyint, disabled_reason varchar(255), version int, uuid varchar(36))`,
		`INSERT INTO services (created_at, host, ` + "`binary`" + `, topic, report_count, disabled, deleted, last_seen_up, forced_down, version)
			SELECT now(), host, 'nova-compute', 'compute', 7, 0, 0, now() + INTERVAL 1 DAY, 0, 60 FROM (SELECT 'h1' host UNION SELECT 'h2') hosts`,
		`UPDATE services SET last_seen_up = utc_timestamp()`,
	} {
		_, err := a.db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	dir, registry := t.TempDir(), prometheus.NewRegistry()
	file := filepath.Join(dir, "servicegroups.yml")
	// With this poll_timeout nothing is recent, so that a scrape without an answer shows the source as unknown.
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
sources: [{name: nova, driver: db, poll_timeout: 1ms, db: {dsn: "mysql://root@%s/%s", timeout: 1m, service_down_time: 1h}}]
`, a.listen(server.Addr()), database), 0o600))
	var err error
	a.App, err = New(t.Context(), Options{
		Logger: slog.New(slog.NewTextHandler(a.log, nil)), Registerer: registry, Gatherer: registry,
		ConfigFile: file, StoragePath: filepath.Join(dir, "data"),
		Listen: &toolkit.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebConfigFile: new("")}, Web: web.DefaultSettings(),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	require.Contains(t, a.scrape("60"), `servicegroup_source_up{source="nova"} 1`)
	return a
}

// listen forwards connections to the database.
func (a *askers) listen(to string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(a.t, err)
	a.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go a.forward(conn, to)
		}
	}()
	return listener.Addr().String()
}

func (a *askers) forward(conn net.Conn, to string) {
	defer conn.Close()
	a.mu.Lock()
	gate := a.gate
	a.mu.Unlock()
	if gate != nil {
		<-gate
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	a.mu.Lock()
	a.used[conn] = func() { conn.Close(); server.Close() }
	a.mu.Unlock()
	go func() { _, _ = io.Copy(server, conn); server.Close() }()
	_, _ = io.Copy(conn, server)
}

// lock makes the query wait until answer is called.
func (a *askers) lock(t *testing.T) (answer func()) {
	t.Helper()
	conn, err := a.db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "LOCK TABLES services WRITE")
	require.NoError(t, err)
	answer = sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.Background(), "UNLOCK TABLES")
		_ = conn.Close()
	})
	t.Cleanup(answer)
	return answer
}

// holdLogin breaks the connections, and makes new ones wait until answer is called.
func (a *askers) holdLogin(t *testing.T) (answer func()) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gate = make(chan struct{})
	for conn, stop := range a.used {
		stop()
		delete(a.used, conn)
	}
	answer = sync.OnceFunc(func() { close(a.gate) })
	t.Cleanup(answer)
	return answer
}

// scrape scrapes with a timeout in seconds.
func (a *askers) scrape(timeout string) string {
	return a.request("/metrics", "X-Prometheus-Scrape-Timeout-Seconds", timeout)
}

func (a *askers) request(path string, header ...string) string {
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, "http://"+a.Addr().String()+path, nil)
	require.NoError(a.t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(a.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	require.Equal(a.t, http.StatusOK, response.StatusCode)
	return string(text)
}

// follow copies the answer of a path until ctx or the answer ends.
func (a *askers) follow(ctx context.Context, path string, to io.Writer) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.Addr().String()+path, nil)
	if err != nil {
		return
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	_, _ = io.Copy(to, response.Body)
}

// polling reports whether a scrape is in progress.
func (a *askers) polling() bool {
	return strings.Contains(a.request("/metrics?name[]=promhttp_metric_handler_requests_in_flight", "X-Prometheus-Scrape-Timeout-Seconds", "0.01"),
		"promhttp_metric_handler_requests_in_flight 2")
}

// othersKnow checks that readers of the API, the page and the bridge see what is known.
func (a *askers) othersKnow() {
	a.t.Helper()
	require.Contains(a.t, a.request("/api/v1/sources"), `"up":true`)
	require.Contains(a.t, a.request("/api/v1/members"), `"state":"up"`)
	require.NotContains(a.t, a.request("/"), "can't be read")
	for _, snapshot := range a.Collector().Snapshots() {
		require.True(a.t, snapshot.Readable)
		require.NoError(a.t, snapshot.Err)
		require.True(a.t, snapshot.Groups[0].Known)
	}
}

// costNothing checks that no poll has failed, and that no connection was made but for the one that a test has broken.
func (a *askers) costNothing() {
	a.t.Helper()
	metrics := a.scrape("60")
	for _, reason := range []string{"timeout", "connect", "query"} {
		require.Contains(a.t, metrics, fmt.Sprintf("servicegroup_source_poll_errors_total{reason=%q,source=\"nova\"} 0\n", reason))
	}
	reconnects := 0
	a.mu.Lock()
	if a.gate != nil {
		reconnects = 1
	}
	a.mu.Unlock()
	require.Contains(a.t, metrics, fmt.Sprintf("servicegroup_source_reconnects_total{source=\"nova\"} %d\n", reconnects))
	require.NotContains(a.t, a.log.String(), "level=WARN")
	require.NotContains(a.t, a.log.String(), "read")
}

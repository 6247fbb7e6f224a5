package soak

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/probe"
	"servicegroup_exporter/sources"
)

// soakTime is short by default. `make soak` sets it to an hour.
var soakTime = flag.Duration("soak", 15*time.Second, "duration of TestSoak")

// TestSoak runs the program while members join, die, return and leave, groups come and go, sources are added, changed and
// removed, some backends can't be reached, and clients close connections early. Its use of resources must not grow.
func TestSoak(t *testing.T) {
	zk := testserver.ZooKeeper(t)
	k := &soak{t: t, dir: t.TempDir(), port: testserver.Port(t), unused: testserver.Port(t), zk: zk.Addr()}
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(sink.Close)
	k.sink = sink.URL
	k.configure(0)
	program := testserver.ExporterPath(t)
	process := testserver.Program(t, "exporter", []string{
		program, "--config.file=" + k.file(), "--storage.path=" + k.dir, "--log.level=error",
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", k.port),
	}, func() error { _, err := k.get("/-/ready"); return err })

	ctx, stop := context.WithTimeout(t.Context(), *soakTime)
	defer stop()
	var work sync.WaitGroup
	repeat := func(pause time.Duration, do func(ctx context.Context, i int)) {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				do(context.WithoutCancel(ctx), i) // An operation in progress is completed.
				sleep(ctx, pause)
			}
		})
	}
	for _, source := range []string{"zk", "store"} {
		driver := k.open(source)
		repeat(50*time.Millisecond, func(ctx context.Context, i int) { k.runGroup(ctx, driver, source, i) })
	}
	repeat(700*time.Millisecond, func(_ context.Context, i int) {
		k.configure(i)
		k.check(syscall.Kill(process.Pid(), syscall.SIGHUP))
	})
	repeat(100*time.Millisecond, func(ctx context.Context, i int) { k.scrape(ctx, i) })
	repeat(300*time.Millisecond, func(ctx context.Context, i int) { k.disconnect(ctx, i) })
	var usages []usage
	repeat(max(*soakTime/200, 200*time.Millisecond), func(context.Context, int) { usages = append(usages, k.usage()) })
	work.Wait()
	for i := 0; i < len(usages); i += max(len(usages)/20, 1) {
		t.Logf("%3d %% %s", 100*i/len(usages), usages[i])
	}
	require.NoError(t, flat(usages))
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// A soak is the program with its environment.
type soak struct {
	t            *testing.T
	dir          string
	port, unused int // no server listens on the port unused
	zk, sink     string
}

func (k *soak) file() string { return filepath.Join(k.dir, "servicegroups.yml") }

// sources returns the configuration of the sources that have members.
func (k *soak) sources() string {
	return fmt.Sprintf(`sources:
  - {name: zk, driver: zk, forget_after: 1s, zk: {servers: ["%s"], session_timeout: 4s}}
  - {name: store, driver: db, poll_interval: 200ms, forget_after: 1s, db: {dsn: "sqlite:///%s", service_down_time: 1s, report_interval: 300ms}}
`, k.zk, filepath.Join(k.dir, "store.db"))
}

// configure writes the configuration, which differs from the previous one.
func (k *soak) configure(i int) {
	text := k.sources()
	if i%2 == 1 {
		text += fmt.Sprintf("  - {name: unreachable%d, driver: zk, poll_timeout: 1s, zk: {servers: [\"127.0.0.1:%d\"]}}\n", i%10, k.unused)
	}
	if i%3 == 1 { // The source changes, and its members stay the same.
		text = strings.Replace(text, "session_timeout: 4s", "session_timeout: 5s", 1)
	}
	text += fmt.Sprintf("alerting: {alertmanagers: [{url: \"%s\"}, {url: \"http://127.0.0.1:%d\"}], external_labels: {i: \"%d\"}}\n",
		k.sink, k.unused, i%5)
	k.check(os.WriteFile(k.file()+".new", []byte(text), 0o600))
	k.check(os.Rename(k.file()+".new", k.file()))
}

// open returns the driver that the members of a source join through.
func (k *soak) open(source string) drivers.Driver {
	cfg, err := sources.Parse("soak.yml", []byte(k.sources()))
	require.NoError(k.t, err)
	for _, s := range sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources() {
		if s.Name == source {
			driver, err := s.Open(slog.New(slog.DiscardHandler))
			require.NoError(k.t, err)
			k.t.Cleanup(func() { require.NoError(k.t, driver.Close()) })
			return driver
		}
	}
	require.Fail(k.t, "unknown source")
	return nil
}

// check reports an error. It may be called in any goroutine.
func (k *soak) check(err error) {
	if err != nil {
		k.t.Error(err)
	}
}

// runGroup runs the whole life of a group with a new name.
func (k *soak) runGroup(ctx context.Context, driver drivers.Driver, source string, i int) {
	group := fmt.Sprintf("%s-%d", source, i)
	var members []*probe.Member
	for n := range 4 {
		m := probe.NewMember(driver.(drivers.Joiner), group, "member-"+strconv.Itoa(n))
		members = append(members, m)
		k.check(m.Join(ctx))
		if n%2 == 0 {
			m.Kill()
		}
		if n == 0 {
			k.check(m.Join(ctx))
		}
	}
	time.Sleep(300 * time.Millisecond) // This leaves time for a poll.
	for _, m := range members {
		k.check(m.Leave(ctx))
	}
	if remover, ok := driver.(drivers.Remover); ok {
		k.check(remover.RemoveGroup(ctx, group))
	}
}

// get returns the body of a response.
func (k *soak) get(path string, header ...string) (string, error) {
	return k.getWithin(context.Background(), path, header...)
}

func (k *soak) getWithin(ctx context.Context, path string, header ...string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", k.port, path), nil)
	if err != nil {
		return "", err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return string(body), err
}

// prometheusAccepts is the Accept header of Prometheus 3 with its default settings.
const prometheusAccepts = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
	"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

// scrape scrapes with the headers of different scrapers.
func (k *soak) scrape(ctx context.Context, i int) {
	accept := []string{prometheusAccepts, "text/plain", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}
	_, err := k.getWithin(ctx, "/metrics", "Accept", accept[i%len(accept)], "X-Prometheus-Scrape-Timeout-Seconds", "3")
	k.check(err)
}

// disconnect is a client that closes the connection during a response.
func (k *soak) disconnect(ctx context.Context, i int) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, _ = k.getWithin(ctx, []string{"/api/v1/events/stream", "/metrics"}[i%2])
}

// usage returns what the program uses, by its own metrics.
func (k *soak) usage() usage {
	text, err := k.get("/metrics?name[]=go_goroutines&name[]=process_open_fds&name[]=process_resident_memory_bytes&name[]=go_memstats_next_gc_bytes")
	k.check(err)
	value := func(name string) float64 {
		_, rest, found := strings.Cut(text, "\n"+name+" ")
		if !found {
			k.t.Errorf("metric %s is missing", name)
			return 0
		}
		v, err := strconv.ParseFloat(strings.SplitN(rest, "\n", 2)[0], 64)
		k.check(err)
		return v
	}
	return usage{
		value("go_goroutines"), value("process_open_fds"), value("go_memstats_next_gc_bytes"), value("process_resident_memory_bytes"),
	}
}

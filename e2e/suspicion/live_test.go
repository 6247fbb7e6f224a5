package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// liveYAML is a Nova whose members report every second. One of them is suspected after 3.5 s, and down after 15 s.
const liveYAML = `sources:
  - name: nova
    driver: db
    db: {dsn: "mysql+pymysql://root@%s/nova", service_down_time: 15s, report_interval: 1s}
    poll_interval: 1s
    suspicion: {margin: 2s}
`

// livePatience is for how long the test waits for each step. It needs half a minute altogether.
const livePatience = time.Minute

// live is the built program, which polls Nova's table in MariaDB, and the processes whose heartbeats are there.
type live struct {
	t       *testing.T
	program []string
	web     string
}

func newLive(t *testing.T) *live {
	database := testserver.MariaDB(t)
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(t), "drivers", "db", "testdata", "zed.sql"))
	require.NoError(t, err)
	_, err = database.Open(t, "nova").ExecContext(t.Context(), string(schema))
	require.NoError(t, err)
	dir := t.TempDir()
	config := filepath.Join(dir, "servicegroups.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, liveYAML, database.Addr()), 0o600))
	l := &live{
		t: t, program: []string{testserver.ExporterPath(t), "--config.file=" + config},
		web: fmt.Sprintf("127.0.0.1:%d", testserver.Port(t)),
	}
	testserver.Program(t, "exporter", append(l.program, "--web.listen-address="+l.web, "--storage.path="+filepath.Join(dir, "storage")),
		func() error { return testserver.ExporterReady(l.web) })
	return l
}

// compute starts a process that reports as a compute does.
func (l *live) compute(name string) *testserver.Process {
	return testserver.Program(l.t, name, append(l.program, "join", "compute", name), func() error {
		if text := l.get("/metrics"); !strings.Contains(text, fmt.Sprintf(`member=%q`, name)) {
			return fmt.Errorf("%s is not in the metrics", name)
		}
		return nil
	})
}

func (l *live) get(path string) string {
	response, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + l.web + path)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// await waits until a page has all of some texts.
func (l *live) await(path string, texts ...string) {
	l.t.Helper()
	page := ""
	testserver.Eventually(l.t, func() bool {
		page = l.get(path)
		for _, text := range texts {
			if !strings.Contains(page, text) {
				return false
			}
		}
		return true
	}, livePatience, 100*time.Millisecond, "%s with %q", path, texts)
}

// A liveEvent is an event as the API has it.
type liveEvent struct {
	ID    int64
	Event string
}

// events returns what the API returns for a query, from old to new.
func (l *live) events(query string) ([]liveEvent, error) {
	var page struct{ Events []liveEvent }
	err := json.Unmarshal([]byte(l.get("/api/v1/events?"+query)), &page)
	slices.SortFunc(page.Events, func(a, b liveEvent) int { return cmp.Compare(a.ID, b.ID) })
	return page.Events, err
}

// lastEvent returns the ID of the newest event.
func (l *live) lastEvent() int64 {
	l.t.Helper()
	all, err := l.events("limit=1")
	require.NoError(l.t, err)
	require.NotEmpty(l.t, all)
	return all[0].ID
}

// awaitEvents waits until these are the events of a compute after an event, in their order.
func (l *live) awaitEvents(name string, after int64, want ...string) {
	l.t.Helper()
	var got []string
	testserver.Eventually(l.t, func() bool {
		all, err := l.events(fmt.Sprintf("group=compute&member=%s&after=%d", name, after))
		got = nil
		for _, e := range all {
			got = append(got, e.Event)
		}
		return err == nil && len(got) >= len(want)
	}, livePatience, 100*time.Millisecond, "events %q of %s", want, name)
	require.Equal(l.t, want, got[:len(want)], name)
}

// A compute that is killed is suspected, and down later. One that stops for a while is suspected, and has reported.
func TestLive(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	for _, name := range []string{"c1", "c2", "c3"} {
		l.compute(name)
	}
	dead, frozen := l.compute("dead"), l.compute("frozen")
	for _, name := range []string{"dead", "frozen"} {
		l.await("/api/v1/member?source=nova&group=compute&member="+name, `"suspected":false,"reporting_interval_seconds":1}`)
	}
	before := l.lastEvent()
	dead.Kill()
	frozen.Freeze()

	const labels = `{binary="nova-compute",group="compute",host=%q,member=%q,source="nova",zone=""} `
	series := func(metric, name string, value int) string {
		return fmt.Sprintf(metric+labels+"%d\n", name, name, value)
	}
	for _, name := range []string{"dead", "frozen"} {
		l.awaitEvents(name, before, "suspect")
		l.await("/api/v1/member?source=nova&group=compute&member="+name, `"state":"up","in_service":true,"down":false`, `"suspected":true,`)
		l.await("/metrics", series("servicegroup_member_suspected", name, 1))
	}
	frozen.Thaw()
	l.awaitEvents("frozen", before, "suspect", "refute")
	l.await("/metrics", series("servicegroup_member_suspected", "frozen", 0))
	l.await("/api/v1/member?source=nova&group=compute&member=frozen", `"suspected":false`)

	l.awaitEvents("dead", before, "suspect", "confirm", "death")
	l.await("/api/v1/member?source=nova&group=compute&member=dead", `"down":true`, `"suspected":false`)
	l.await("/metrics",
		series("servicegroup_member_suspected", "dead", 0), series("servicegroup_member_down", "dead", 1),
		`servicegroup_suspicions_total{group="compute",outcome="confirmed",source="nova"} 1`,
		`servicegroup_heartbeat_age_seconds{group="compute",quantile="1",source="nova"} `)
}

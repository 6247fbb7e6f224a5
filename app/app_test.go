package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/web"
)

// testOptions are the options of a server with every part in use, on a free port of this machine.
func testOptions(t *testing.T) Options {
	t.Helper()
	dir, registry := t.TempDir(), prometheus.NewRegistry()
	file := filepath.Join(dir, "servicegroups.yml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
sources: [{name: local, driver: db, db: {dsn: "sqlite:///%s/local.db"}, canary: {}}]
alerting: {alertmanagers: [{url: "http://127.0.0.1:1"}]}
`, dir), 0o600))
	return Options{
		Logger: slog.New(slog.DiscardHandler), Registerer: registry, Gatherer: registry,
		ConfigFile: file, StoragePath: filepath.Join(dir, "data"),
		Listen: &toolkit.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebConfigFile: new("")},
		Web:    web.DefaultSettings(), EnableLifecycle: true,
	}
}

// requireNoGoroutine fails if there are more goroutines than before, for longer than a normal end takes.
func requireNoGoroutine(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines were left behind:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func get(t *testing.T, a *App, method, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.Addr().String()+path, nil)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func TestServerRunsUntilItsContextEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	o := testOptions(t)
	reload := make(chan struct{})
	o.Reload = reload
	a, err := New(t.Context(), o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()

	status, body := get(t, a, http.MethodGet, "/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `servicegroup_source_up{source="local"} 1`)
	require.Contains(t, body, "servicegroup_config_last_reload_successful 1")

	status, _ = get(t, a, http.MethodPost, "/-/reload")
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, os.WriteFile(o.ConfigFile, []byte("sources: 1"), 0o600))
	reload <- struct{}{}
	testserver.Eventually(t, func() bool {
		_, body := get(t, a, http.MethodGet, "/metrics")
		return strings.Contains(body, "servicegroup_config_last_reload_successful 0")
	}, 10*time.Second, 10*time.Millisecond, "the failed reload is counted")

	cancel()
	require.NoError(t, <-ended)
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", a.Addr().String())
	require.Error(t, err)
	require.NoError(t, a.Stop()) // It may be called again.
	requireNoGoroutine(t, before)
}

// A configuration that is watched is reloaded when its file changes, also after a mistake, and not otherwise. Kubernetes changes a
// mounted Secret by replacing a symbolic link to its folder.
func TestWatchedConfigIsReloaded(t *testing.T) {
	o := testOptions(t)
	good, err := os.ReadFile(o.ConfigFile)
	require.NoError(t, err)
	mounted := filepath.Join(t.TempDir(), "mounted")
	mount := func(text string) {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, "servicegroups.yml"), []byte(text), 0o600))
		require.NoError(t, os.Symlink(folder, mounted+".new"))
		require.NoError(t, os.Rename(mounted+".new", mounted))
	}
	mount(string(good))
	var log bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	o.ConfigFile, o.WatchInterval = filepath.Join(mounted, "servicegroups.yml"), 10*time.Millisecond
	a, err := New(t.Context(), o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	eventually := func(want string) {
		testserver.Eventually(t, func() bool {
			_, body := get(t, a, http.MethodGet, "/metrics")
			return strings.Contains(body, want)
		}, time.Minute, 10*time.Millisecond, "%s", want)
	}

	mount(strings.Replace(string(good), "name: local", "name: other", 1))
	eventually(`servicegroup_source_up{source="other"} 1`)
	mount("sources: 1")
	eventually("servicegroup_config_last_reload_successful 0")
	mount(string(good))
	eventually(`servicegroup_source_up{source="local"} 1`)

	cancel()
	require.NoError(t, <-ended)
	require.Equal(t, 2, strings.Count(log.String(), "Reloaded the configuration"))
	require.Equal(t, 1, strings.Count(log.String(), "Reloading the configuration failed"))
}

func TestServerThatNeverRanStops(t *testing.T) {
	before := runtime.NumGoroutine()
	a, err := New(t.Context(), testOptions(t))
	require.NoError(t, err)
	require.NoError(t, a.Stop())
	_, err = net.Listen("tcp", a.Addr().String())
	require.NoError(t, err)
	requireNoGoroutine(t, before)
}

// A refusing registerer refuses the metrics whose description contains a text.
type refusing struct {
	prometheus.Registerer
	text string
}

func (r refusing) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 1000)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		if strings.Contains(desc.String(), r.text) {
			return errors.New("refused")
		}
	}
	return r.Registerer.Register(c)
}

// A start that fails at any step closes what the steps before it opened.
func TestFailedStartClosesWhatWasOpened(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	refuse := func(text string) func(*Options) {
		return func(o *Options) { o.Registerer = refusing{o.Registerer, text} }
	}
	for step, c := range map[string]struct {
		breakIt func(*Options)
		err     string
	}{
		"metrics":        {refuse(`"servicegroup_config_last_reload_successful"`), "registering metrics: refused"},
		"storage folder": {func(o *Options) { o.StoragePath = o.ConfigFile }, "creating the storage folder: "},
		"collector":      {refuse(`"servicegroup_source_up"`), "registering the collector: refused"},
		"bridge":         {refuse(`"servicegroup_notifications_sent_total"`), "opening the bridge to Alertmanager: "},
		"canaries":       {refuse(`"servicegroup_canary_`), "opening the canaries: "},
		"configuration":  {func(o *Options) { o.ConfigFile += ".missing" }, "no such file"},
		"HTTP endpoints": {func(o *Options) { o.Web.MetricsPath = "metrics" }, "making the HTTP endpoints: "},
		"address":        {func(o *Options) { o.Listen.WebListenAddresses = &[]string{taken.Addr().String()} }, "address already in use"},
	} {
		t.Run(step, func(t *testing.T) {
			before := runtime.NumGoroutine()
			o := testOptions(t)
			c.breakIt(&o)
			_, err := New(t.Context(), o)
			require.ErrorContains(t, err, c.err)
			require.NotContains(t, err.Error(), "stopping")
			requireNoGoroutine(t, before)
		})
	}
}

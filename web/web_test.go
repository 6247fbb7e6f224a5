package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
)

// testOptions returns options with an empty registry and a poll that does nothing.
func testOptions() Options {
	o := Options{Settings: DefaultSettings(), Logger: slog.New(slog.DiscardHandler)}
	registry := prometheus.NewRegistry()
	o.Gatherer, o.Registerer = registry, registry
	o.Poll = func(context.Context) View { return nil }
	o.Snapshots = func() []collector.Snapshot { return []collector.Snapshot{{Source: "a"}} } // not polled yet
	return o
}

func newHandler(t *testing.T, o Options) http.Handler {
	t.Helper()
	handler, err := New(o)
	require.NoError(t, err)
	return handler
}

// do sends one request without a network and returns the answer and its body.
func do(t *testing.T, h http.Handler, method, path string, header http.Header) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	require.NoError(t, err)
	return w.Result(), string(body)
}

func TestRoutes(t *testing.T) {
	reloaded := 0
	o := testOptions()
	o.Reload = func() error { reloaded++; return nil }
	off := newHandler(t, testOptions())
	on := newHandler(t, o)

	for _, tt := range []struct {
		handler      http.Handler
		method, path string
		status       int
		body         string
	}{
		{off, "GET", "/", 200, `<a href="./metrics">Metrics</a>`},
		{off, "GET", "/member?source=a&group=b&member=c", 200, "<title>Member</title>"},
		{off, "GET", "/assets/app.css", 200, "body {"},
		{off, "POST", "/member", 405, "Method Not Allowed"},
		{off, "GET", "/hosts", 200, "Hosts · Service groups</title>"},
		{off, "GET", "/host", 404, "The address names no host"},
		{off, "POST", "/hosts", 405, "Method Not Allowed"},
		{off, "GET", "/assets/", 404, "There is no such page."},
		{off, "HEAD", "/", 200, ""},
		{off, "POST", "/", 405, "Method Not Allowed"},
		{off, "GET", "/metrics", 200, "promhttp_metric_handler_requests_in_flight 1"},
		{off, "HEAD", "/metrics", 200, ""},
		{off, "POST", "/metrics", 405, "Method Not Allowed"},
		{off, "GET", "/metrics/", 404, "There is no such page."},
		{off, "GET", "/-/healthy", 200, "healthy\n"},
		{off, "HEAD", "/-/healthy", 200, ""},
		{off, "PUT", "/-/healthy", 405, "Method Not Allowed"},
		{off, "GET", "/-/ready", 200, "ready\n"},
		{off, "DELETE", "/-/ready", 405, "Method Not Allowed"},
		{off, "GET", "/-/reload", 405, "Method Not Allowed"},
		{off, "POST", "/-/reload", 403, "--web.enable-lifecycle"},
		{off, "PUT", "/-/reload", 403, "--web.enable-lifecycle"},
		{on, "GET", "/-/reload", 405, "Method Not Allowed"},
		{on, "POST", "/-/reload", 200, "reloaded\n"},
		{on, "PUT", "/-/reload", 200, "reloaded\n"},
		{on, "GET", "/debug/pprof/", 404, "There is no such page."},
		{on, "GET", "/-/", 404, "There is no such page."},
		{on, "GET", "/index.html", 404, "There is no such page."},
		{on, "GET", "/a/b/c", 404, `href="./../../">All members</a>`},
		{on, "GET", "/?source=gone", 404, "There is no source gone."},
		{on, "GET", "/?source=a&group=b", 200, "<title>Service groups</title>"},
		{on, "HEAD", "/nowhere", 404, ""},
		{on, "POST", "/nowhere", 404, "There is no such page."},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			resp, body := do(t, tt.handler, tt.method, tt.path, nil)
			require.Equal(t, tt.status, resp.StatusCode, body)
			require.Contains(t, body, tt.body)
			require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self';")
			require.NotContains(t, resp.Header.Get("Content-Security-Policy"), "unsafe")
			require.NotContains(t, body, "/debug/")
		})
	}
	require.Equal(t, 2, reloaded)
}

func TestOperatorsHeadersStay(t *testing.T) {
	handler := newHandler(t, testOptions())
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "frame-ancestors https://portal.example")
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	require.Equal(t, []string{"frame-ancestors https://portal.example"}, w.Header()["Content-Security-Policy"])
	require.Equal(t, "deny", w.Header().Get("X-Frame-Options"))
}

func TestMetricsPath(t *testing.T) {
	o := testOptions()
	o.MetricsPath = "/probe/a&b"
	handler := newHandler(t, o)
	resp, _ := do(t, handler, "GET", "/probe/a&b", nil)
	require.Equal(t, 200, resp.StatusCode)
	_, body := do(t, handler, "GET", "/", nil)
	require.Contains(t, body, `<a href="./probe/a&amp;b">`)

	o = testOptions()
	o.MetricsPath = "/"
	_, body = do(t, newHandler(t, o), "GET", "/", nil)
	require.Contains(t, body, "promhttp_metric_handler_requests_total")
}

func TestReady(t *testing.T) {
	ready := false
	o := testOptions()
	o.Ready = func() bool { return ready }
	handler := newHandler(t, o)

	resp, body := do(t, handler, "GET", "/-/ready", nil)
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "not ready\n", body)
	resp, _ = do(t, handler, "GET", "/-/healthy", nil)
	require.Equal(t, 200, resp.StatusCode)

	ready = true
	resp, _ = do(t, handler, "GET", "/-/ready", nil)
	require.Equal(t, 200, resp.StatusCode)
}

func TestReloadFailure(t *testing.T) {
	o := testOptions()
	o.Reload = func() error { return errors.New("config.yml:3: unknown key \"sorces\"") }
	resp, body := do(t, newHandler(t, o), "POST", "/-/reload", nil)
	require.Equal(t, 500, resp.StatusCode)
	require.Contains(t, body, "config.yml:3: unknown key \"sorces\"")
	require.Contains(t, body, "old configuration stays")
}

func TestReloadFromAnotherOrigin(t *testing.T) {
	o := testOptions()
	o.Reload = func() error { panic("must not be called") }
	resp, _ := do(t, newHandler(t, o), "POST", "/-/reload", http.Header{"Sec-Fetch-Site": {"cross-site"}})
	require.Equal(t, 403, resp.StatusCode)
}

func TestBadOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no poll":         {func(o *Options) { o.Poll = nil }, "lack"},
		"no gatherer":     {func(o *Options) { o.Gatherer = nil }, "lack"},
		"requests":        {func(o *Options) { o.MaxRequests = -1 }, "--web.max-requests is -1, must not be negative"},
		"offset":          {func(o *Options) { o.TimeoutOffset = -time.Second }, "--timeout-offset is -1s, must not be negative"},
		"default timeout": {func(o *Options) { o.DefaultTimeout = 0 }, "must be more than zero"},
		"no path":         {func(o *Options) { o.MetricsPath = "" }, `"" is not a path`},
		"relative path":   {func(o *Options) { o.MetricsPath = "metrics" }, `"metrics" is not a path`},
		"directory":       {func(o *Options) { o.MetricsPath = "/metrics/" }, "is not a path"},
		"pattern":         {func(o *Options) { o.MetricsPath = "/{x}" }, "is not a path"},
		"query":           {func(o *Options) { o.MetricsPath = "/metrics?x" }, "is not a path"},
		"taken":           {func(o *Options) { o.MetricsPath = "/-/ready" }, "paths below /-/ are in use"},
		"of the API":      {func(o *Options) { o.MetricsPath = "/api/metrics" }, "paths below /api/ are in use"},
		"of discovery":    {func(o *Options) { o.MetricsPath = "/sd/metrics" }, "paths below /sd/ are in use"},
		"a page":          {func(o *Options) { o.MetricsPath = "/member" }, "a page has that path"},
		"the hosts":       {func(o *Options) { o.MetricsPath = "/hosts" }, "a page has that path"},
		"assets":          {func(o *Options) { o.MetricsPath = "/assets/app.css" }, "paths below /assets/ are in use"},
		"dots":            {func(o *Options) { o.MetricsPath = "/a/../b" }, "is not a path"},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			tt.change(&o)
			_, err := New(o)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

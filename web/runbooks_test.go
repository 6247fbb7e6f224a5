package web

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func runbookOptions() Options {
	o := testOptions()
	o.Runbooks = NewRunbooks(fstest.MapFS{
		"index.html": {Data: []byte("<h1>Runbooks</h1>")}, "Fire.html": {Data: []byte("<h1>Fire</h1>")}, "Smoke.html": {},
	}, func(alert string) string { return strings.TrimSuffix(alert, "Loud") })
	return o
}

func TestRunbookPages(t *testing.T) {
	handler := newHandler(t, runbookOptions())
	for path, want := range map[string]string{"/runbooks/": "<h1>Runbooks</h1>", "/runbooks/Fire": "<h1>Fire</h1>", "/runbooks/FireLoud": "<h1>Fire</h1>"} {
		resp, page := do(t, handler, "GET", path, nil)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Equal(t, want, page)
	}
}

func TestRunbookRoutes(t *testing.T) {
	with, without := newHandler(t, runbookOptions()), newHandler(t, testOptions())
	for path, status := range map[string]int{
		"/runbooks/": 200, "/runbooks/Fire": 200, "/runbooks": 307, "/runbooks/index": 404, "/runbooks/Fire.html": 404,
		"/runbooks/Fire.md": 404, "/runbooks/README": 404, "/runbooks/Water": 404, "/runbooks/Fire/": 404, "/runbooks/a/b": 404,
	} {
		resp, _ := do(t, with, "GET", path, nil)
		require.Equal(t, status, resp.StatusCode, path)
	}
	resp, _ := do(t, with, "HEAD", "/runbooks/Fire", nil)
	require.Equal(t, 200, resp.StatusCode)
	resp, _ = do(t, with, "POST", "/runbooks/Fire", nil)
	require.Equal(t, 405, resp.StatusCode)
	for _, path := range []string{"/runbooks/", "/runbooks/Fire"} {
		resp, _ = do(t, without, "GET", path, nil)
		require.Equal(t, 404, resp.StatusCode, path)
	}
}

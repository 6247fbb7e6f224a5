package web

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func runbookOptions(t *testing.T) Options {
	t.Helper()
	handler, err := NewRunbooks(fstest.MapFS{
		"README.md": {Data: []byte("# Runbooks\n\nBefore you start.\n")},
		"Fire.md": {Data: []byte(`# Fire

## Meaning

It burns, see [Smoke](Smoke.md) & <https://example.com/x.md>.

## Impact

<script>alert(1)</script> Heat. <b>Really.</b> [bad](javascript:alert(1))

| what | how |
| --- | --- |
| a | ` + "`b < c`" + ` |

` + "```sh\necho \"<i>\" | cat\n```\n")},
		"Smoke.md": {Data: []byte("# Smoke\n\n## Meaning\n\nIt **smells**.\n\nBadly.\n")},
	})
	require.NoError(t, err)
	o := testOptions()
	o.Runbooks = handler
	return o
}

func TestRunbookPages(t *testing.T) {
	handler := newHandler(t, runbookOptions(t))

	resp, page := do(t, handler, "GET", "/runbooks/Fire", nil)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, page, "<title>Fire</title>")
	require.Contains(t, page, "<h2>Meaning</h2>")
	require.Contains(t, page, `see <a href="Smoke">Smoke</a> &amp; <a href="https://example.com/x.md">`)
	require.Contains(t, page, "<td><code>b &lt; c</code></td>")
	require.Contains(t, page, `<pre><code class="language-sh">echo &quot;&lt;i&gt;&quot; | cat`)
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "<b>")
	require.NotContains(t, page, "javascript:")

	_, index := do(t, handler, "GET", "/runbooks/", nil)
	require.Contains(t, index, "Before you start.")
	require.Contains(t, index, `<a href="Fire">Fire</a>`)
	require.Contains(t, index, `<a href="Smoke">Smoke</a>`)
	require.Contains(t, index, "<p>It <strong>smells</strong>.</p>")
	require.NotContains(t, index, "Badly")
}

func TestRunbookRoutes(t *testing.T) {
	with, without := newHandler(t, runbookOptions(t)), newHandler(t, testOptions())
	for path, status := range map[string]int{
		"/runbooks/": 200, "/runbooks/Fire": 200, "/runbooks": 307,
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

func TestUnreadableRunbooks(t *testing.T) {
	_, err := NewRunbooks(fstest.MapFS{"Fire.md": {Mode: fs.ModeDir}})
	require.ErrorContains(t, err, "making the pages of the runbooks: ")
	require.ErrorContains(t, err, "Fire.md")
}

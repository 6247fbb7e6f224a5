package page

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
)

func get(t *testing.T, h http.Handler, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	maps.Copy(request.Header, header)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer
}

// snapshots returns a source "a" with a member "c" of a group "b" that is up, many members of a group "big", and a source
// "lost" that can't be read.
func snapshots() []collector.Snapshot {
	now := time.Now()
	a := collector.Snapshot{Source: "a", Readable: true, Polled: true, BackendTime: now, Groups: []collector.GroupState{{Name: "b"}, {Name: "big"}}}
	add := func(group, name string, age time.Duration, state collector.State) {
		m := collector.MemberState{State: state, InService: true, DecidedDown: state == collector.Down, Since: now.Add(-age)}
		m.Group, m.Name, m.LastHeartbeat = group, name, now.Add(-age/2)
		a.Members = append(a.Members, m)
	}
	add("b", "c", time.Minute, collector.Up)
	a.Members[0].Host = "c"
	for i := range 120 {
		add("big", fmt.Sprintf("<m%03d>", i), time.Duration(i)*time.Second, []collector.State{collector.Up, collector.Up, collector.Down}[i%3])
	}
	return []collector.Snapshot{a, {Source: "lost"}}
}

func newPages(t *testing.T, o Options) http.Handler {
	t.Helper()
	if o.Snapshots == nil {
		o.Snapshots = snapshots
	}
	o.Pending = func(source string) bool { return source == "cell" }
	h, err := New(o)
	require.NoError(t, err)
	return h
}

func TestPages(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/probe/a&b", Version: "1.0 <script>alert(1)</script>"})
	for _, path := range []string{"/", "/?source=a&group=b", "/member?source=a&group=b&member=c", "/hosts", "/host?host=c"} {
		answer := get(t, h, path, nil)
		require.Equal(t, 200, answer.Code, path)
		require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
		text := answer.Body.String()
		require.Contains(t, text, `<a href="./probe/a&amp;b">Metrics</a>`)
		require.Contains(t, text, "1.0 &lt;script&gt;")
		require.NotContains(t, text, "alert(1)</script>")
	}
	require.Equal(t, 404, get(t, h, "/status.html", nil).Code)
	require.Equal(t, 404, get(t, h, "/assets/", nil).Code)
	require.Equal(t, 404, get(t, h, "/assets/page.go", nil).Code)
}

// Scripts and styles are in files of their own, because the policy forbids them in a page. All addresses are relative, because
// a proxy may serve the pages below a prefix.
func TestPagesHaveNothingInline(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/metrics"})
	for _, path := range []string{"/", "/member?group=b&member=c", "/?group=gone", "/hosts", "/host?host=c"} {
		text := get(t, h, path, nil).Body.String()
		require.NotRegexp(t, `<style|\sstyle=|\son[a-z]+=|javascript:|https?://`, text)
		require.NotRegexp(t, `<script[^>]*>[^<]`, text)
		require.NotRegexp(t, `(src|href)="/`, text)
	}
}

// Everything that a page or a script refers to is served, with a media type that browsers accept.
func TestReferencesLead(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/metrics"})
	reference := regexp.MustCompile(`(?:(?:src|href)="(?:\./)?(assets/[^"]+)"|from "\./([^"]+)")`)
	types := map[string]string{".js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
	seen := map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		if seen[path] {
			return
		}
		seen[path] = true
		answer := get(t, h, path, nil)
		require.Equal(t, 200, answer.Code, path)
		if strings.HasPrefix(path, "/assets/") {
			require.Equal(t, types[path[len(path)-3:]], answer.Header().Get("Content-Type"), path)
		}
		for _, match := range reference.FindAllStringSubmatch(answer.Body.String(), -1) {
			if match[1] != "" {
				follow("/" + match[1])
			} else {
				follow("/assets/" + match[2])
			}
		}
	}
	follow("/")
	follow("/member?group=b&member=c")
	follow("/hosts")
	follow("/assets/runbooks.css") // for the runbooks, which the package web renders
	files, err := assets.ReadDir("assets")
	require.NoError(t, err)
	for _, file := range files {
		require.True(t, seen["/assets/"+file.Name()], "nothing refers to %s", file.Name())
	}
}

// Names are rendered as text, never as markup.
func TestScriptsNeverWriteMarkup(t *testing.T) {
	files, err := assets.ReadDir("assets")
	require.NoError(t, err)
	for _, file := range files {
		text, err := assets.ReadFile("assets/" + file.Name())
		require.NoError(t, err)
		require.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|cssText`, string(text), file.Name())
	}
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/metrics"})
	first := get(t, h, "/assets/app.css", nil)
	require.Equal(t, "no-cache", first.Header().Get("Cache-Control"))
	again := get(t, h, "/assets/app.css", http.Header{"If-None-Match": {first.Header().Get("ETag")}})
	require.Equal(t, http.StatusNotModified, again.Code)
	require.NotEqual(t, first.Header().Get("ETag"), get(t, h, "/assets/status.js", nil).Header().Get("ETag"))
}

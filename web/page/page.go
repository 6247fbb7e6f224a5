// Package page serves the status page, the pages of members and hosts, and the files that they need. Their
// scripts read the JSON API by relative addresses, so that they also work behind a proxy that adds a prefix.
//
// The server makes the pages about hosts whole, and a script replaces their content by what the server says now. The scripts of the
// older pages make their content of the API's answers, because they filter and follow thousands of members.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

//go:embed *.html
var templates embed.FS

//go:embed assets
var assets embed.FS

// Options are what the pages show about the program that serves them.
type Options struct {
	// MetricsPath is the path of the metrics, for example "/metrics".
	MetricsPath string
	// Version is shown at the foot of each page.
	Version string
	// Snapshots returns what is known of the sources. Nil: there are no sources.
	Snapshots func() []collector.Snapshot
	// History has the events, and Alerts the alerts that the bridge posts. Nil: there are none.
	History *api.History
	Alerts  api.Alerts
	// Pending returns whether a source that has no snapshot may still be found; nil: never.
	Pending func(source string) bool
}

// Pages are the pages and their files.
type Pages struct {
	opts      Options
	mux       *http.ServeMux
	templates map[string]*template.Template
}

// New returns the pages. They answer /, /member, /hosts, /host and /assets/.
func New(o Options) (*Pages, error) {
	if o.Snapshots == nil {
		o.Snapshots = func() []collector.Snapshot { return nil }
	}
	if o.Pending == nil {
		o.Pending = func(string) bool { return false }
	}
	p := &Pages{opts: o, mux: http.NewServeMux(), templates: map[string]*template.Template{}}
	for _, name := range []string{"status.html", "member.html", "hosts.html", "host.html", "notfound.html"} {
		t, err := template.New(name).Funcs(template.FuncMap{"time": utc, "rfc3339": rfc3339, "age": age}).ParseFS(templates, "layout.html", "list.html", "static.html", name)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", name, err)
		}
		p.templates[name] = t
	}
	p.mux.HandleFunc("GET /{$}", p.status)
	p.mux.HandleFunc("GET /member", p.member)
	p.mux.HandleFunc("GET /hosts", p.hosts)
	p.mux.HandleFunc("GET /host", p.host)
	files, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("listing the pages' files: %w", err)
	}
	for _, file := range files {
		text, err := assets.ReadFile("assets/" + file.Name())
		if err != nil {
			return nil, fmt.Errorf("reading a file of the pages: %w", err)
		}
		p.mux.Handle("GET /assets/"+file.Name(), static(file.Name(), text))
	}
	p.mux.HandleFunc("GET /", p.NotFound)
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// A view is what templates show.
type view struct {
	// Root is the relative address of the status page.
	Root             string
	Metrics, Version string
	Message          string   // of a page that does not exist
	Sources          []string // that exist
	List             listing
	Member           *row // of the page of a member
	Events           []*api.Event
	Alerts           []bridge.FiringAlert
	Hosts            hostsView
}

// send sends a page.
func (p *Pages) send(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	v.Root = "./" + strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
	v.Metrics, v.Version = v.Root+strings.TrimPrefix(p.opts.MetricsPath, "/"), p.opts.Version
	var text bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&text, name, v); err != nil {
		http.Error(w, "making the page failed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // If this fails, the client has gone.
}

// static serves a text that never changes while the program runs. The browser has to revalidate its copy each time, so that a
// page never mixes files of two versions.
func static(name string, text []byte) http.Handler {
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType(name))
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
	})
}

// contentType returns the media type of a file. It does not use the table of the operating system, because browsers refuse
// scripts for which that table has a wrong type.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "text/html; charset=utf-8"
	}
}

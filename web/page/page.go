// Package page serves the status page, the page of one member, and the files that both need. The pages contain no data; their
// scripts read the JSON API by relative addresses, so that they also work behind a proxy that adds a prefix.
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
	"time"
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
}

// New returns the handler of /, /member and /assets/.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	for pattern, name := range map[string]string{"GET /{$}": "status.html", "GET /member": "member.html"} {
		text, err := render(name, o)
		if err != nil {
			return nil, fmt.Errorf("rendering %s: %w", name, err)
		}
		mux.Handle(pattern, static(name, text))
	}
	files, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("listing the pages' files: %w", err)
	}
	for _, file := range files {
		text, err := assets.ReadFile("assets/" + file.Name())
		if err != nil {
			return nil, fmt.Errorf("reading a file of the pages: %w", err)
		}
		mux.Handle("GET /assets/"+file.Name(), static(file.Name(), text))
	}
	return mux, nil
}

// render executes the template of a page. The parts of all pages are in layout.html.
func render(name string, o Options) ([]byte, error) {
	t, err := template.ParseFS(templates, "layout.html", name)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = t.ExecuteTemplate(&text, name, struct{ Metrics, Version string }{"." + o.MetricsPath, o.Version})
	return text.Bytes(), err
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

package web

import (
	"io/fs"
	"net/http"
	"strings"
)

const (
	// runbooksPath is the path of the runbooks. The annotation runbook_url of an alert is this path and the alert's name.
	runbooksPath = "/runbooks/"
	// runbooksIndex is the name of the page at runbooksPath itself.
	runbooksIndex = "index"
)

// NewRunbooks returns the handler of the pages below /runbooks/. It serves NAME.html of pages as /runbooks/NAME, and
// index.html as /runbooks/. For an alert, NAME is what pageOf returns: an alert with another severity than the default has
// another name and no page of its own.
func NewRunbooks(pages fs.FS, pageOf func(alert string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, runbooksPath)
		switch name {
		case "":
			name = runbooksIndex
		case runbooksIndex:
			http.NotFound(w, r) // Each page has one address.
			return
		}
		page, err := fs.ReadFile(pages, pageOf(name)+".html")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // If this fails, the client has gone.
	})
}

// orNotFound returns the handler, or a handler that answers 404 if it is nil.
func orNotFound(h http.Handler) http.Handler {
	if h == nil {
		return http.NotFoundHandler()
	}
	return h
}

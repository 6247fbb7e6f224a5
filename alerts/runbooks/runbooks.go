// Package runbooks has a page for each alert: what it means, what is affected, how to find the cause, and what to do. The
// program in alerts/runbooks/gen renders the pages from the Markdown files in this folder.
package runbooks

import (
	"embed"
	"io/fs"
	"strings"
)

//go:generate go -C gen run . .. ../html

//go:embed html/*.html
var files embed.FS

// Pages returns the pages as HTML: ALERT.html for each alert, and index.html, which lists them.
func Pages() fs.FS {
	pages, err := fs.Sub(files, "html")
	if err != nil {
		panic(err) // The name is constant and valid.
	}
	return pages
}

// Names returns the names of the alerts that have a page, sorted.
func Names() []string {
	matches, err := fs.Glob(Pages(), "*.html")
	if err != nil {
		panic(err) // The pattern is constant and valid.
	}
	names := make([]string, 0, len(matches))
	for _, match := range matches {
		if name := strings.TrimSuffix(match, ".html"); name != "index" {
			names = append(names, name)
		}
	}
	return names
}

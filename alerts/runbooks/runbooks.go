// Package runbooks holds a page for each alert: what it means, what suffers, how to find the cause, and what to do.
package runbooks

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// index introduces the pages: it is about no alert.
const index = "README.md"

//go:embed *.md
var files embed.FS

// Files gives the pages as Markdown: ALERT.md for each alert, and README.md, which introduces them.
func Files() fs.FS { return files }

// Names gives the alerts that have a page, sorted.
func Names() []string {
	matches, err := fs.Glob(files, "*.md")
	if err != nil {
		panic(err) // The pattern is constant.
	}
	names := make([]string, 0, len(matches))
	for _, match := range matches {
		if match != index {
			names = append(names, strings.TrimSuffix(match, path.Ext(match)))
		}
	}
	return names
}

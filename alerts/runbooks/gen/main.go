// Command runbooks renders the runbooks from Markdown to HTML. The HTML files are committed: change the Markdown files and
// run `make generate`.
package main

import (
	"bytes"
	_ "embed" // for the template
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// introduction is the file with the text above the list of runbooks.
const introduction = "README.md"

//go:embed page.html
var pageHTML string

// A page has the values of the template.
type page struct {
	Title string
	Body  template.HTML
	List  []entry // on the index only
}

// An entry is a runbook in the list of the index.
type entry struct {
	Name    string
	Meaning template.HTML // the first paragraph under the heading "Meaning"
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: runbooks MARKDOWN_FOLDER HTML_FOLDER")
		os.Exit(2)
	}
	if err := writeAll(os.DirFS(os.Args[1]), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeAll writes NAME.html for each NAME.md, and index.html.
func writeAll(files fs.FS, folder string) error {
	pages, err := render(files)
	if err != nil {
		return fmt.Errorf("rendering the runbooks: %w", err)
	}
	for name, html := range pages {
		if err := os.WriteFile(filepath.Join(folder, name+".html"), html, 0o644); err != nil {
			return fmt.Errorf("writing a runbook: %w", err)
		}
	}
	return nil
}

// render returns the pages by name. HTML in the files is left out.
func render(files fs.FS) (map[string][]byte, error) {
	layout, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	add := func(name string, p page) error {
		var html bytes.Buffer
		if err := layout.Execute(&html, p); err != nil {
			return err
		}
		pages[name] = html.Bytes()
		return nil
	}
	index := page{Title: "Runbooks"}
	for _, file := range names {
		source, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		body, meaning, err := renderMarkdown(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if file == introduction {
			index.Body = body
			continue
		}
		name := strings.TrimSuffix(file, ".md")
		index.List = append(index.List, entry{name, meaning})
		if err := add(name, page{Title: name, Body: body}); err != nil {
			return nil, err
		}
	}
	return pages, add("index", index)
}

// renderMarkdown returns a file as HTML, and separately the paragraph after the heading "Meaning".
func renderMarkdown(source []byte) (body, meaning template.HTML, err error) {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table))
	document := markdown.Parser().Parse(text.NewReader(source))
	err = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			link.Destination = pageLink(link.Destination)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return "", "", err
	}
	var html bytes.Buffer
	if err := markdown.Renderer().Render(&html, source, document); err != nil {
		return "", "", err
	}
	body = template.HTML(html.String()) // goldmark leaves out HTML and dangerous links.
	for n := document.FirstChild(); n != nil; n = n.NextSibling() {
		if heading, ok := n.(*ast.Heading); ok && string(heading.Lines().Value(source)) == "Meaning" && n.NextSibling() != nil {
			html.Reset()
			if err := markdown.Renderer().Render(&html, source, n.NextSibling()); err != nil {
				return "", "", err
			}
			meaning = template.HTML(html.String())
		}
	}
	return body, meaning, nil
}

// pageLink turns a link to another runbook's Markdown file into a link to its page.
func pageLink(link []byte) []byte {
	if bytes.Contains(link, []byte(":")) {
		return link
	}
	return bytes.Replace(link, []byte(".md"), nil, 1)
}

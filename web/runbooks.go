package web

import (
	"bytes"
	_ "embed" // for the template
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// runbooksPath is where the runbooks are: an alert's runbook_url ends in it and the alert's name.
const runbooksPath = "/runbooks/"

// runbooksIndex is the file that stands above the list of runbooks.
const runbooksIndex = "README.md"

//go:embed runbooks.html
var runbooksHTML string

// A runbookPage is what the template shows.
type runbookPage struct {
	Title string
	Body  template.HTML
	List  []runbookLink // on the index alone
}

// A runbookLink is a runbook in the list of all.
type runbookLink struct {
	Name    string
	Meaning template.HTML // its first paragraph under "Meaning"
}

// NewRunbooks makes the handler of the pages below /runbooks/. Each NAME.md in files becomes the page NAME, and README.md
// the index that lists them. HTML in the files is left out: Markdown is all that they may hold. It fails if a file can't
// be read.
func NewRunbooks(files fs.FS) (http.Handler, error) {
	pages, err := renderRunbooks(files)
	if err != nil {
		return nil, fmt.Errorf("making the pages of the runbooks: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, found := pages[strings.TrimPrefix(r.URL.Path, runbooksPath)]
		if !found {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // There is nobody to tell if the client has gone.
	}), nil
}

// renderRunbooks gives the pages by name; that of the index is empty.
func renderRunbooks(files fs.FS) (map[string][]byte, error) {
	layout, err := template.New("runbooks").Parse(runbooksHTML)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	add := func(name string, page runbookPage) error {
		var html bytes.Buffer
		if err := layout.Execute(&html, page); err != nil {
			return fmt.Errorf("runbook %q: %w", name, err)
		}
		pages[name] = html.Bytes()
		return nil
	}
	index := runbookPage{Title: "Runbooks"}
	for _, file := range names {
		source, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		body, meaning, err := renderMarkdown(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if file == runbooksIndex {
			index.Body = body
			continue
		}
		name := strings.TrimSuffix(file, ".md")
		index.List = append(index.List, runbookLink{name, meaning})
		if err := add(name, runbookPage{Title: name, Body: body}); err != nil {
			return nil, err
		}
	}
	return pages, add("", index)
}

// renderMarkdown gives a whole file as HTML, and alone what its heading "Meaning" is followed by.
func renderMarkdown(source []byte) (body, meaning template.HTML, err error) {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table))
	document := markdown.Parser().Parse(text.NewReader(source))
	err = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			link.Destination = pageOf(link.Destination)
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
	body = template.HTML(html.String()) // goldmark leaves out what is not Markdown
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

// pageOf turns a link to another runbook's file, as it works where the files are read, into one to its page.
func pageOf(link []byte) []byte {
	if bytes.Contains(link, []byte(":")) {
		return link
	}
	return bytes.Replace(link, []byte(".md"), nil, 1)
}

// orNotFound stands in for a handler that there is none of.
func orNotFound(h http.Handler) http.Handler {
	if h == nil {
		return http.NotFoundHandler()
	}
	return h
}

package docs_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A page is a Markdown file of the repository, by its path from the root.
type page struct {
	path    string
	anchors map[string]bool
	links   []string // of links and images
	code    []string // spans of code, and lines of blocks
}

// pages reads all that people read.
func pages(t *testing.T) map[string]*page {
	t.Helper()
	all := map[string]*page{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "alerts/runbooks/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, file := range files {
			path, err := filepath.Rel("..", file)
			require.NoError(t, err)
			all[path] = readPage(t, path)
		}
	}
	return all
}

func readPage(t *testing.T, path string) *page {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", path))
	require.NoError(t, err)
	p := &page{path: path, anchors: map[string]bool{}}
	root := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(source))
	require.NoError(t, ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.addAnchor(plain(n, source))
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.CodeSpan:
			p.code = append(p.code, plain(n, source))
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			p.code = append(p.code, strings.Split(string(n.Lines().Value(source)), "\n")...)
		}
		return ast.WalkContinue, nil
	}))
	return p
}

// plain is the text in a node.
func plain(n ast.Node, source []byte) string {
	var s strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if leaf, ok := child.(*ast.Text); ok {
			s.Write(leaf.Value(source))
		} else {
			s.WriteString(plain(child, source))
		}
	}
	return s.String()
}

// addAnchor notes a heading's anchor, as GitHub makes it.
func (p *page) addAnchor(heading string) {
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	unique := anchor
	for i := 1; p.anchors[unique]; i++ {
		unique = fmt.Sprintf("%s-%d", anchor, i)
	}
	p.anchors[unique] = true
}

// Every link and image leads to a file that is there, and to a heading in it.
func TestLinks(t *testing.T) {
	all := pages(t)
	checked := 0
	for _, p := range all {
		for _, link := range p.links {
			u, err := url.Parse(link)
			require.NoError(t, err, "%s: %s", p.path, link)
			if u.Scheme != "" {
				require.Contains(t, []string{"http", "https"}, u.Scheme, "%s: %s", p.path, link)
				continue
			}
			target := p.path
			if strings.HasPrefix(link, "../../") && filepath.Dir(p.path) == "." {
				continue // A page of the forge, such as the results of CI.
			}
			if u.Path != "" {
				target = filepath.Join(filepath.Dir(p.path), u.Path)
				_, err := os.Stat(filepath.Join("..", target))
				require.NoError(t, err, "%s: %s", p.path, link)
			}
			if u.Fragment != "" {
				require.NotNil(t, all[target], "%s: %s", p.path, link)
				require.True(t, all[target].anchors[u.Fragment], "%s: %s: no such heading", p.path, link)
			}
			checked++
		}
	}
	require.Greater(t, checked, 80)
}

// Every page can be found from the index, every picture is shown somewhere.
func TestNothingIsLost(t *testing.T) {
	all := pages(t)
	shown := map[string]bool{}
	for _, p := range all {
		for _, link := range p.links {
			shown[filepath.Join(filepath.Dir(p.path), link)] = true
		}
	}
	for path := range all {
		inDocs, _ := strings.CutPrefix(path, "docs/")
		if inDocs != path && inDocs != "README.md" {
			require.Contains(t, all["docs/README.md"].links, inDocs, "the index lacks a page")
		}
	}
	images, err := filepath.Glob("images/*")
	require.NoError(t, err)
	for _, image := range images {
		require.True(t, shown[filepath.Join("docs", image)], "no page shows %s", image)
	}
}

// Whatever is called with make is a target, and files and folders of the repository that are named are there, but for those
// that a page tells its reader to make.
func TestNamedThings(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	_, phony, found := strings.Cut(string(makefile), "\n.PHONY: ")
	require.True(t, found)
	phony, _, _ = strings.Cut(phony, "\n")
	targets := strings.Fields(phony)

	extend, err := os.ReadFile("extend.md")
	require.NoError(t, err)
	made := map[string]bool{}
	for _, s := range steps(t, string(extend)) {
		made[s.file], made[filepath.Dir(s.file)] = true, true
	}
	calls := regexp.MustCompile(`^\$? *make((?: [a-z-]+)+)(?:$|[^a-z/-])`) // bin/helm is a file.
	paths := regexp.MustCompile(`^(?:\./)?((?:alerts|app|cli|collector|config|dashboards|docs|drivers|e2e|internal|packaging|probe|sources|tools|web)/[\w./*-]*)$`)
	for _, p := range pages(t) {
		for _, code := range p.code {
			if match := calls.FindStringSubmatch(code); match != nil {
				for target := range strings.FieldsSeq(match[1]) {
					require.Contains(t, targets, target, "%s: %s", p.path, code)
				}
			}
			if match := paths.FindStringSubmatch(code); match != nil && !made[strings.TrimSuffix(match[1], "/")] {
				// NAME and PAGE stand for a name of the reader's choice.
				found, err := filepath.Glob(filepath.Join("..", strings.NewReplacer("NAME", "*", "PAGE", "*").Replace(match[1])))
				require.NoError(t, err)
				require.NotEmpty(t, found, "%s: %s is not there", p.path, code)
			}
		}
	}
}

// TestMap checks the map of the repository in CONTRIBUTING: each folder in it exists, and no room is missing.
func TestMap(t *testing.T) {
	text, err := os.ReadFile("../CONTRIBUTING.md")
	require.NoError(t, err)
	_, chart, found := strings.Cut(string(text), "\n## Where things are\n")
	require.True(t, found)
	chart, _, _ = strings.Cut(chart, "\n## ")
	var rooms []string
	room := ""
	for _, line := range regexp.MustCompile(`(?m)^ {4}.*$`).FindAllString(chart, -1) {
		inner := strings.HasPrefix(line, "      ")
		for name := range strings.FieldsSeq(line) {
			if !regexp.MustCompile(`^[a-z/]+/$|^main\.go$`).MatchString(name) {
				break
			}
			if inner {
				name = filepath.Join(room, name)
			} else {
				room = name
				rooms = append(rooms, strings.Split(name, "/")[0])
			}
			_, err := os.Stat(filepath.Join("..", name))
			require.NoError(t, err)
		}
	}
	folders, err := filepath.Glob("../[a-z]*/")
	require.NoError(t, err)
	for _, folder := range folders {
		if name := filepath.Base(folder); name != "bin" && name != "docs" {
			require.True(t, slices.Contains(rooms, name), "the map lacks %s", name)
		}
	}
}

// Extract prints what Go files say to people, one JSON object a text: comments, log messages, errors, help, other
// sentences in strings, and the names that the files declare. The prose linter reads it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// A Line is one line of a text and its place in the file.
type Line struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// A Text is what a reader meets as one piece: a comment, or one string.
type Text struct {
	File  string `json:"file"`
	Kind  string `json:"kind"`
	Lines []Line `json:"lines"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run reads names of files below the folder that is given, one a line, from standard input.
func run() error {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	root := os.DirFS(os.Args[1])
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		content, err := fs.ReadFile(root, names.Text())
		if err != nil {
			return err
		}
		texts, err := extract(names.Text(), content)
		if err != nil {
			return err
		}
		for _, t := range texts {
			if err := encoder.Encode(t); err != nil {
				return err
			}
		}
	}
	if err := names.Err(); err != nil {
		return err
	}
	return out.Flush()
}

type extractor struct {
	file  string
	test  bool
	set   *token.FileSet
	texts []Text
	named map[string]bool       // names that were printed
	kinds map[ast.Expr]string   // what strings are, by the call or the field that they stand in
	done  map[ast.Expr]struct{} // strings that are part of another that was printed
}

func extract(name string, content []byte) ([]Text, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, content, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	e := &extractor{
		file: name, test: strings.HasSuffix(name, "_test.go"), set: set,
		named: map[string]bool{}, kinds: map[ast.Expr]string{}, done: map[ast.Expr]struct{}{},
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	e.comments(file)
	ast.Inspect(file, e.visit)
	return e.texts, nil
}

func (e *extractor) comments(file *ast.File) {
	docs := map[*ast.CommentGroup]bool{file.Doc: true}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			docs[n.Doc] = true
		case *ast.GenDecl:
			docs[n.Doc] = true
		case *ast.TypeSpec:
			docs[n.Doc] = true
		case *ast.ValueSpec:
			docs[n.Doc] = true
		case *ast.Field:
			docs[n.Doc] = true
		}
		return true
	})
	for _, group := range file.Comments {
		kind := "comment"
		if docs[group] {
			kind = "doc"
		}
		e.comment(group, kind)
	}
}

func (e *extractor) comment(group *ast.CommentGroup, kind string) {
	var lines []Line
	for _, c := range group.List {
		at := e.set.Position(c.Pos())
		if text, isLine := strings.CutPrefix(c.Text, "//"); isLine {
			if text != "" && text[0] != ' ' && text[0] != '\t' { // A directive, such as //go:embed.
				continue
			}
			text, column := strings.TrimPrefix(text, " "), at.Column+2
			if len(text) < len(c.Text)-2 {
				column++
			}
			lines = append(lines, Line{at.Line, column, text})
			continue
		}
		text := strings.TrimSuffix(strings.TrimPrefix(c.Text, "/*"), "*/")
		for i, line := range strings.Split(text, "\n") {
			column := 1
			if i == 0 {
				column = at.Column + 2
			}
			lines = append(lines, Line{at.Line + i, column, line})
		}
	}
	if len(lines) > 0 {
		e.texts = append(e.texts, Text{e.file, kind, lines})
	}
}

func (e *extractor) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.CommentGroup:
		return false
	case *ast.Field:
		e.names(n.Names...)
		if n.Tag != nil {
			e.done[n.Tag] = struct{}{}
		}
	case *ast.FuncDecl:
		e.names(n.Name)
	case *ast.TypeSpec:
		e.names(n.Name)
	case *ast.ValueSpec:
		e.names(n.Names...)
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			for _, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok {
					e.names(name)
				}
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Help" {
			e.kinds[n.Value] = "metric"
		}
	case *ast.CallExpr:
		e.call(n)
	case *ast.BinaryExpr:
		return e.text(n)
	case *ast.BasicLit:
		return e.text(n)
	}
	return true
}

func (e *extractor) names(names ...*ast.Ident) {
	for _, n := range names {
		if n.Name == "_" || e.named[n.Name] {
			continue
		}
		e.named[n.Name] = true
		at := e.set.Position(n.Pos())
		e.texts = append(e.texts, Text{e.file, "name", []Line{{at.Line, at.Column, words(n.Name)}}})
	}
}

// words returns the words of a name in mixed caps: "heldSince" gives "held Since", "HTTPServer" gives "HTTP Server".
func words(name string) string {
	var b strings.Builder
	upper := func(i int) bool { return i >= 0 && i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	for i := range len(name) {
		if name[i] == '_' {
			b.WriteByte(' ')
			continue
		}
		if i > 0 && upper(i) && (!upper(i-1) || i+1 < len(name) && !upper(i+1)) {
			b.WriteByte(' ')
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// call notes what the strings among the arguments are.
func (e *extractor) call(c *ast.CallExpr) {
	receiver, method := "", ""
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		method = f.Sel.Name
		switch x := f.X.(type) {
		case *ast.Ident:
			receiver = x.Name
		case *ast.SelectorExpr:
			receiver = x.Sel.Name
		}
	case *ast.Ident:
		method = f.Name
	}
	if len(c.Args) == 0 {
		return
	}
	isLog := strings.Contains(strings.ToLower(receiver), "log") // log, logger, slog
	switch method {
	case "Debug", "Info", "Warn", "Error":
		e.is("log", isLog, c.Args, 0)
	case "DebugContext", "InfoContext", "WarnContext", "ErrorContext":
		e.is("log", isLog, c.Args, 1)
	case "Log", "LogAttrs":
		e.is("log", isLog, c.Args, 2)
	case "Command", "Flag", "Arg":
		e.is("help", len(c.Args) == 2, c.Args, 1)
	case "NewDesc":
		e.is("metric", true, c.Args, 1)
	case "Errorf":
		e.is("error", receiver == "fmt", c.Args, 0)
	case "New":
		e.is("error", receiver == "errors", c.Args, 0)
		e.is("help", receiver == "kingpin" && len(c.Args) == 2, c.Args, 1)
	}
}

func (e *extractor) is(kind string, applies bool, args []ast.Expr, i int) {
	if applies && i < len(args) {
		e.kinds[args[i]] = kind
	}
}

// text prints a string, or a sum of strings as one text; it reports whether the parts are still to be visited.
func (e *extractor) text(x ast.Expr) bool {
	if _, done := e.done[x]; done {
		return true
	}
	lines, ok := e.literal(x)
	if !ok {
		return true
	}
	kind, known := e.kinds[x]
	if !known {
		kind = "text"
	}
	if len(lines) > 0 && (known || !e.test && isSentence(lines)) {
		e.texts = append(e.texts, Text{e.file, kind, lines})
	}
	return true
}

// literal returns the lines of a string, and whether x is one. What is no literal in a sum is left out.
func (e *extractor) literal(x ast.Expr) (lines []Line, ok bool) {
	switch x := x.(type) {
	case *ast.BasicLit:
		if x.Kind != token.STRING {
			return nil, false
		}
		e.done[x] = struct{}{}
		value, err := strconv.Unquote(x.Value)
		if err != nil {
			return nil, false
		}
		at := e.set.Position(x.Pos())
		for i, line := range strings.Split(value, "\n") {
			switch {
			case i == 0:
				lines = append(lines, Line{at.Line, at.Column + 1, line})
			case x.Value[0] == '`':
				lines = append(lines, Line{at.Line + i, 1, line})
			default:
				lines = append(lines, Line{at.Line, at.Column + 1, line})
			}
		}
		return lines, true
	case *ast.BinaryExpr:
		if x.Op != token.ADD {
			return nil, false
		}
		left, isLeft := e.literal(x.X)
		right, isRight := e.literal(x.Y)
		e.done[x] = struct{}{}
		return append(left, right...), isLeft || isRight
	case *ast.ParenExpr:
		return e.literal(x.X)
	}
	return nil, false
}

// isSentence reports whether a string is meant for people: some words in a row, and no statement of a query language.
func isSentence(lines []Line) bool {
	var fields []string
	for _, l := range lines {
		fields = append(fields, strings.Fields(l.Text)...)
	}
	for _, keyword := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "PRAGMA", "ALTER", "DROP", "SET"} {
		if len(fields) > 0 && fields[0] == keyword {
			return false
		}
	}
	run := 0
	for _, f := range fields {
		if strings.Trim(f, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.,:;-") != "" {
			run = 0
			continue
		}
		if run++; run == 3 {
			return true
		}
	}
	return false
}

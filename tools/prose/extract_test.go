package main

import (
	"fmt"
	"reflect"
	"testing"
)

// TestExtract reads a file that has each kind of text once, and what is no text beside them.
func TestExtract(t *testing.T) {
	texts, err := extract("some.go", []byte("// Package some does it.\npackage some\n\nimport \"a b c\"\n\n"+
		"// Load returns heldNames.\nfunc Load(logger any) {\n"+
		"\t//nolint:all\n\t// One line,\n\t// and another.\n"+
		"\tlogger.Info(\"Loaded it\", \"key\", \"two words here\")\n"+
		"\tfmt.Errorf(\"loading: \"+\n\t\t\"it broke: %w\", err)\n"+
		"\tk.Flag(\"name\", \"Help text.\")\n"+
		"\topts := prometheus.Opts{Name: \"a_total\", Help: \"Number of things.\"}\n"+
		"\tquery(\"SELECT one two three\")\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, text := range texts {
		for _, line := range text.Lines {
			got = append(got, fmt.Sprintf("%s %d:%d %s", text.Kind, line.Line, line.Column, line.Text))
		}
	}
	want := []string{
		"doc 1:4 Package some does it.", "doc 6:4 Load returns heldNames.", "comment 9:5 One line,", "comment 10:5 and another.",
		"name 7:6 Load", "name 7:11 logger", "log 11:15 Loaded it", "text 11:35 two words here",
		"error 12:14 loading: ", "error 13:4 it broke: %w", "help 14:18 Help text.", "name 15:2 opts", "metric 15:50 Number of things.",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// TestWords splits names in mixed caps.
func TestWords(t *testing.T) {
	for name, want := range map[string]string{"heldSince": "held Since", "HTTPServer": "HTTP Server", "in_flight": "in flight", "ID": "ID"} {
		if got := words(name); got != want {
			t.Errorf("words(%q) is %q, not %q", name, got, want)
		}
	}
}

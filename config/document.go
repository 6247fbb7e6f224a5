package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// document parses the only document of a file. If there is none, it returns nil and the report has the reason.
func document(r *report, data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isNull(first.Content[0]) {
		r.addf(0, "", "the file has no settings")
		return nil
	}
	if err != nil {
		syntax(r, err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.addf(second.Line, "", "a second document begins here, but only one is read")
	case !errors.Is(err, io.EOF):
		syntax(r, err)
	}
	return first.Content[0]
}

var (
	// yamlError matches the errors of the YAML package, which have no type. An error on the first line has no line number.
	yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

	// countsFromZero matches the errors of its parser, which counts lines from zero. Its scanner counts them from one.
	countsFromZero = regexp.MustCompile(`^(did not find expected (',' or|key|node content|'-' indicator|<)|found undefined tag)`)
)

// syntax adds an error of the YAML package. These errors quote nothing from the file except anchors, and an anchor may be a
// secret that was not put in quotes.
func syntax(r *report, err error) {
	line, text := 0, err.Error()
	if m := yamlError.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	if countsFromZero.MatchString(text) {
		line++
	}
	if strings.Contains(text, "anchor") {
		text = "an alias names no anchor; text that begins with * must be quoted"
	}
	r.addf(line, "", "not YAML: %s", text)
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// kindOf returns the name of a node's kind for errors. It does not show the value, which may be a secret in the wrong place.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

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

// document parses the one document of a file. It gives nil when there is none; the report then says why.
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
	// yamlError matches the errors of the YAML package, which have no type. It gives no line for the first one.
	yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

	// countsFromZero matches the errors of its grammar, whose lines count from zero; those of its scanner count from one.
	countsFromZero = regexp.MustCompile(`^(did not find expected (',' or|key|node content|'-' indicator|<)|found undefined tag)`)
)

// syntax notes what the YAML parser said. Its texts are fixed but for those that quote an anchor, which may be a secret
// that somebody forgot to quote.
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
		text = "an alias names no anchor; text that begins with * has to be quoted"
	}
	r.addf(line, "", "not YAML: %s", text)
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// kindOf names what a node is to people. It never shows what is in it: it could be a secret in the wrong place.
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

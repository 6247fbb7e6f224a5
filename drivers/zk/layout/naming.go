package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"servicegroup_exporter/drivers"
)

// A naming makes a member's name from the name and the data of its znode. It leaves out what is new each time the member
// starts, for example a random id, since that must not become a label.
type naming struct {
	match  *regexp.Regexp // nil: any name
	parts  []namePart     // of the name; empty: the name is the first group of match that is not empty
	fields []string       // of the data, which the parts need
}

// A namePart is a part of a name: text, a group of the regular expression, or a field of the data.
type namePart struct {
	kind  partKind
	text  string
	group int
	field string
}

type partKind uint8

const (
	partText partKind = iota
	partGroup
	partField
)

// newNaming parses the settings match and name. Its error is a [drivers.FieldError].
func newNaming(match, name string) (naming, error) {
	var n naming
	if match != "" {
		// The user's text is compiled first, so that an error shows the text as it is.
		if _, err := regexp.Compile(match); err != nil {
			return n, drivers.Field("custom.match", "%w", err)
		}
		var err error
		if n.match, err = regexp.Compile(`\A(?:` + match + `)\z`); err != nil {
			return n, drivers.Field("custom.match", "%w", err)
		}
	}
	for rest := name; rest != ""; {
		text, after, found := strings.Cut(rest, "{")
		if strings.Contains(text, "}") {
			return n, drivers.Field("custom.name", "%q has a } without a {", name)
		}
		if text != "" {
			n.parts = append(n.parts, namePart{text: text})
		}
		if !found {
			break
		}
		inside, after, found := strings.Cut(after, "}")
		if !found {
			return n, drivers.Field("custom.name", "%q has a { without a }", name)
		}
		if err := n.addPart(inside); err != nil {
			return n, drivers.Field("custom.name", "%q: %w", name, err)
		}
		rest = after
	}
	return n, nil
}

// addPart adds the part that is written as text between braces.
func (n *naming) addPart(text string) error {
	number, err := strconv.Atoi(text)
	if err != nil {
		n.parts = append(n.parts, namePart{kind: partField, field: text})
		n.fields = append(n.fields, text)
		return checkField(text)
	}
	groups := 0
	if n.match != nil {
		groups = n.match.NumSubexp()
	}
	if number < 0 || number > groups {
		return fmt.Errorf("there is no {%d}: match has %d groups in parentheses", number, groups)
	}
	n.parts = append(n.parts, namePart{kind: partGroup, group: number})
	return nil
}

// checkField returns an error if the text is not a key, or several keys joined by dots.
func checkField(text string) error {
	for key := range strings.SplitSeq(text, ".") {
		if key == "" || strings.ContainsAny(key, "{}") {
			return fmt.Errorf("%q is not the name of a field, for example status or serviceEndpoint.host", text)
		}
	}
	return nil
}

// matchName returns the groups of the regular expression in a znode's name, the whole name first. It returns nil if the
// znode is not a member.
func (n *naming) matchName(znode string) []string {
	if n.match == nil {
		return []string{znode}
	}
	return n.match.FindStringSubmatch(znode)
}

var errNoField = errors.New("the data does not have a field of the name")

// name returns the member's name. It returns errNoField if the data does not have a field that the name needs.
func (n *naming) name(groups []string, fields map[string]string) (string, error) {
	if len(n.parts) == 0 {
		return firstGroup(groups), nil
	}
	var b strings.Builder
	for _, p := range n.parts {
		switch p.kind {
		case partGroup:
			b.WriteString(groups[p.group])
		case partField:
			value, exists := fields[p.field]
			if !exists {
				return "", errNoField
			}
			b.WriteString(value)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String(), nil
}

func firstGroup(groups []string) string {
	if len(groups) == 1 {
		return groups[0]
	}
	for _, g := range groups[1:] {
		if g != "" {
			return g
		}
	}
	return Anonymous
}

// readFields returns fields of the JSON in a znode. It leaves out fields that do not exist and fields that are objects,
// lists or null. It returns nil if the data is not a JSON object.
func readFields(data []byte, fields []string) map[string]string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil
	}
	values := make(map[string]string, len(fields))
	for _, field := range fields {
		if value, ok := readField(object, field); ok {
			values[field] = value
		}
	}
	return values
}

func readField(object map[string]any, field string) (string, bool) {
	keys := strings.Split(field, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, ok := object[key].(map[string]any)
		if !ok {
			return "", false
		}
		object = inner
	}
	switch value := object[keys[len(keys)-1]].(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	}
	return "", false
}

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

// A naming makes the stable name of a member of its znode's name and data, so that what is new each time a member starts
// never becomes a label.
type naming struct {
	match  *regexp.Regexp // nil: any name
	parts  []namePart     // none: the first group of match that is not empty
	fields []string       // of the data, as far as parts need them
}

// A namePart is a part of a name: text, a group of the regular expression, or a field of the data.
type namePart struct {
	text  string
	group int
	field string
	kind  partKind
}

type partKind uint8

const (
	partText partKind = iota
	partGroup
	partField
)

// newNaming compiles both settings. Its error is a [drivers.FieldError].
func newNaming(match, name string) (naming, error) {
	var n naming
	if match != "" {
		// The user's own text is parsed first, so that errors show it as it is.
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
		if err := n.add(inside); err != nil {
			return n, drivers.Field("custom.name", "%q: %w", name, err)
		}
		rest = after
	}
	return n, nil
}

// add adds the part that stood between braces.
func (n *naming) add(inside string) error {
	number, err := strconv.Atoi(inside)
	if err != nil {
		n.parts = append(n.parts, namePart{kind: partField, field: inside})
		n.fields = append(n.fields, inside)
		return checkField(inside)
	}
	groups := 0
	if n.match != nil {
		groups = n.match.NumSubexp()
	}
	if number < 0 || number > groups {
		return fmt.Errorf("{%d} is not there: match has %d groups in parentheses", number, groups)
	}
	n.parts = append(n.parts, namePart{kind: partGroup, group: number})
	return nil
}

// checkField says why a path into the data is none.
func checkField(field string) error {
	for key := range strings.SplitSeq(field, ".") {
		if key == "" || strings.ContainsAny(key, "{}") {
			return fmt.Errorf("%q is not the name of a field, as status or serviceEndpoint.host", field)
		}
	}
	return nil
}

// groupsOf gives the parts of a znode's name, nil if that can't be a member's.
func (n *naming) groupsOf(znode string) []string {
	if n.match == nil {
		return []string{znode}
	}
	return n.match.FindStringSubmatch(znode)
}

var errNoField = errors.New("the data lacks a field of the name")

// name gives the member's name, or an error if the data does not have what it takes.
func (n *naming) name(groups []string, said map[string]string) (string, error) {
	if len(n.parts) == 0 {
		return firstGroup(groups), nil
	}
	var b strings.Builder
	for _, p := range n.parts {
		switch p.kind {
		case partGroup:
			b.WriteString(groups[p.group])
		case partField:
			value, there := said[p.field]
			if !there {
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

// readFields takes fields out of a znode's JSON. Those that are not there, or are no single values, are left out. It gives
// nil for data that is no JSON object.
func readFields(data []byte, fields []string) map[string]string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil
	}
	said := make(map[string]string, len(fields))
	for _, field := range fields {
		if value, ok := readField(object, field); ok {
			said[field] = value
		}
	}
	return said
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

package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// A decoder fills Go values from YAML nodes: structs, lists, maps, text, and types that parse their own text. It refuses
// every key that a struct does not have. It adds each mistake to the report and continues.
//
// The Go types bound its depth, so that an alias to itself can't make it recurse without end.
type decoder struct {
	*report
	// dir is the folder at which relative paths in the file begin.
	dir string
}

// A setting is a key that a section may have.
type setting struct {
	field reflect.Value
	// secret is the name of the secret that this key sets, as "password" for "password_file"; empty for other settings.
	secret string
	// read turns the value in the file into the secret.
	read func(d *decoder, value string) (drivers.Secret, error)
}

func reflectOf(pointer any) reflect.Value { return reflect.ValueOf(pointer).Elem() }

// decode sets v to the value of a node. The line is that of the key, if the value has one.
func (d *decoder) decode(node *yaml.Node, v reflect.Value, path string, line int) {
	d.places[path] = place{line, path}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Style&yaml.TaggedStyle != 0 {
		d.unreadf(line, path, "tags are not supported; text that begins with ! must be quoted")
		return
	}
	if isNull(node) {
		d.unreadf(line, path, "has no value")
		return
	}
	if node.Kind == yaml.ScalarNode && drivers.HasPlaceholder(node.Value) {
		d.unreadf(line, path, "has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the value itself; "+
			"a secret can come from the environment, by KEY_env, or from a file, by KEY_file")
		return
	}
	if parse := parserOf(v); parse != nil {
		if d.expect(node, yaml.ScalarNode, path, line) {
			d.parsed(node, parse, path, line)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(node, v.Elem(), path, line)
	case reflect.Struct:
		if names, ok := namesOf(v); ok {
			d.mapping(node, names, path, line)
		} else {
			d.section(node, v, path, line)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[drivers.Paths]() {
			d.paths(node, v, path, line)
		} else {
			d.list(node, v, path, line)
		}
	case reflect.Map:
		d.mapping(node, v, path, line)
	case reflect.String:
		if d.expect(node, yaml.ScalarNode, path, line) {
			v.SetString(node.Value)
		}
	default:
		d.unreadf(line, path, "can't be set in a file")
	}
}

// parsed reads a single value with the parser of its type.
func (d *decoder) parsed(node *yaml.Node, parse func(*yaml.Node) error, path string, line int) {
	if err := parse(node); err != nil {
		d.unreadf(line, path, "%v", err)
	}
}

func (d *decoder) list(node *yaml.Node, v reflect.Value, path string, line int) {
	if !d.expect(node, yaml.SequenceNode, path, line) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		d.decode(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i), item.Line)
	}
}

// paths reads one path or a list of them.
func (d *decoder) paths(node *yaml.Node, v reflect.Value, path string, line int) {
	if node.Kind == yaml.ScalarNode {
		node = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}, Line: line}
	}
	d.list(node, v, path, line)
	for i := range v.Len() {
		v.Index(i).SetString(d.absolute(v.Index(i).String()))
	}
}

// absolute returns a path of the file. If it is relative, it begins at dir.
func (d *decoder) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

// mapping reads a section whose keys are names that the user chooses.
func (d *decoder) mapping(node *yaml.Node, v reflect.Value, path string, line int) {
	if !d.expect(node, yaml.MappingNode, path, line) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := reflect.ValueOf(key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 || isNull(key) || key.ShortTag() == "!!merge":
			d.unreadf(key.Line, path, "has a key that is not a name")
		case v.MapIndex(name).IsValid():
			d.unreadf(key.Line, path, "repeated key %q", key.Value)
		default:
			item := reflect.New(v.Type().Elem()).Elem()
			d.decode(value, item, join(path, key.Value), key.Line)
			v.SetMapIndex(name, item)
		}
	}
}

func (d *decoder) section(node *yaml.Node, v reflect.Value, path string, line int) {
	if !d.expect(node, yaml.MappingNode, path, line) {
		return
	}
	seed(v.Addr().Interface())
	settings, old := settingsOf(v), renamedKeys(v.Addr().Interface())
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		s, known := settings[key.Value]
		new, wasKnown := old[key.Value]
		switch {
		case wasKnown:
			d.renamed(new, key, value, path)
		case key.Kind != yaml.ScalarNode || !known:
			d.unknown(key, settings, path)
		case seen[key.Value] > 0:
			d.addf(key.Line, path, "repeated key %q; it is on line %d already", key.Value, seen[key.Value])
		case s.secret != "":
			d.secret(s, key, value, path)
		default:
			d.decode(value, s.field, join(path, key.Value), key.Line)
		}
		seen[key.Value] = key.Line
	}
}

// expect reports whether a node is of a kind, and adds a mistake if it is not.
func (d *decoder) expect(node *yaml.Node, want yaml.Kind, path string, line int) bool {
	if node.Kind != want {
		d.unreadf(line, path, "must be %s, not %s", kindOf(&yaml.Node{Kind: want}), kindOf(node))
	}
	return node.Kind == want
}

// settingsOf returns the keys that a section may have: its fields with a yaml tag, and for each secret the keys that end in
// _file and _env.
func settingsOf(v reflect.Value) map[string]setting {
	settings := map[string]setting{}
	for name, field := range fieldsOf(v) {
		if !isSecret(field) {
			settings[name] = setting{field: field}
			continue
		}
		settings[name] = setting{field, name, inline}
		settings[name+"_env"] = setting{field, name, fromEnvironment}
		// If a section has a field of this name, the field comes later and replaces this entry: the section reads the file itself.
		settings[name+"_file"] = setting{field, name, fromFile}
	}
	return settings
}

// word matches keys that an error may show. Other text in the place of a key may be a secret.
var word = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)

func (d *decoder) unknown(key *yaml.Node, settings map[string]setting, path string) {
	known := slices.Sorted(maps.Keys(settings))
	switch {
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
		d.addf(key.Line, path, "merge keys (<<) are not supported")
	case key.Kind != yaml.ScalarNode || !word.MatchString(key.Value):
		d.addf(key.Line, path, "unknown key; known are %s", strings.Join(known, ", "))
	default:
		d.addf(key.Line, path, "unknown key %q; known are %s%s", key.Value, strings.Join(known, ", "), suggest.Hint(key.Value, known))
	}
}

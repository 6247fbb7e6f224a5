package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Effective gives the configuration as YAML, with all defaults filled in. Secrets that are set are hidden.
func (c *Config) Effective() ([]byte, error) {
	node, err := nodeOf(reflectOf(c))
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return yaml.Marshal(node)
}

// nodeOf is the opposite of decode. It leaves out sections and secrets that are not set.
func nodeOf(v reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{}
	if isValue(v) {
		return node, node.Encode(v.Interface())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return nodeOf(v.Elem())
	case reflect.Struct:
		if names, ok := namesOf(v); ok {
			return nodeOf(names)
		}
		node.Kind = yaml.MappingNode
		for name, field := range fieldsOf(v) {
			if field.IsZero() && unsaid(field) {
				continue
			}
			value, err := nodeOf(field.Value)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, textNode(name), value)
		}
	case reflect.Map:
		node.Kind = yaml.MappingNode
		for _, key := range sortedKeys(v) {
			value, err := nodeOf(v.MapIndex(key))
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, textNode(key.String()), value)
		}
	case reflect.Slice:
		node.Kind = yaml.SequenceNode
		for i := range v.Len() {
			item, err := nodeOf(v.Index(i))
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, item)
		}
	default:
		// Secrets and durations marshal themselves.
		return node, node.Encode(v.Interface())
	}
	return node, nil
}

// unsaid says whether a setting is left out while it has no value.
func unsaid(f field) bool {
	return f.Kind() == reflect.Pointer || f.Kind() == reflect.Map || isSecret(f.Value) || f.omitEmpty
}

// textNode is a key that is text, whatever it looks like.
func textNode(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}

// sortedKeys gives the keys of a map whose keys are text.
func sortedKeys(m reflect.Value) []reflect.Value {
	return slices.SortedFunc(slices.Values(m.MapKeys()), func(a, b reflect.Value) int {
		return strings.Compare(a.String(), b.String())
	})
}

package config

import (
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"
)

// Effective returns the configuration as YAML, with all defaults and without secrets: tests read it again.
func (c *Config) Effective() ([]byte, error) {
	node, err := nodeOf(reflectOf(c))
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return yaml.Marshal(node)
}

// nodeOf returns the YAML node of a value, as the opposite of decode. It leaves out sections and secrets that are not set.
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
			if field.IsZero() && isLeftOut(v.Type(), name, field) {
				continue
			}
			value, err := nodeOf(field)
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
		// Secrets and durations have marshalers of their own.
		return node, node.Encode(v.Interface())
	}
	return node, nil
}

// isLeftOut reports whether a setting of a struct is left out if it is zero.
func isLeftOut(section reflect.Type, name string, v reflect.Value) bool {
	return v.Kind() == reflect.Pointer || v.Kind() == reflect.Map || isSecret(v) || mayBeOmitted(section, name)
}

// mayBeOmitted reports whether the tag of a setting says omitempty.
func mayBeOmitted(section reflect.Type, name string) bool {
	for f := range section.Fields() {
		switch f.Tag.Get("yaml") {
		case name + ",omitempty":
			return true
		case ",inline":
			if f.Type.Kind() == reflect.Struct && mayBeOmitted(f.Type, name) {
				return true
			}
		}
	}
	return false
}

// textNode returns the node of a key, which is text even if it looks like a number.
func textNode(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}

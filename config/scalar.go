package config

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"
)

// parserOf gives what reads a single value, or nil where v is text, or more than a single value.
func parserOf(v reflect.Value) func(*yaml.Node) error {
	if parser, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return func(node *yaml.Node) error { return parser.UnmarshalText([]byte(node.Value)) }
	}
	// Sections of the Prometheus project's own configurations have this method too; here, they are read as all others are.
	parser, ok := reflect.TypeAssert[interface{ UnmarshalYAML(func(any) error) error }](v.Addr())
	if ok && !isSecret(v) && (v.Kind() != reflect.Struct || isValue(v)) {
		return func(node *yaml.Node) error { return explain(v, parser.UnmarshalYAML(node.Decode)) }
	}
	switch v.Kind() {
	case reflect.Bool:
		return func(node *yaml.Node) error { return plain(node, v, "true or false") }
	case reflect.Int:
		return func(node *yaml.Node) error { return plain(node, v, "a whole number") }
	case reflect.Float64:
		return func(node *yaml.Node) error { return number(node, v) }
	case reflect.Interface:
		return func(node *yaml.Node) error { return plain(node, v, "text, a number, or true or false") }
	default:
		return nil
	}
}

// plain reads a value of one of YAML's own kinds.
func plain(node *yaml.Node, v reflect.Value, want string) error {
	if err := node.Decode(v.Addr().Interface()); err != nil {
		return fmt.Errorf("must be %s", want)
	}
	return nil
}

func number(node *yaml.Node, v reflect.Value) error {
	if err := plain(node, v, "a number"); err != nil {
		return err
	}
	if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
		return errors.New("must be a number")
	}
	return nil
}

// explain says what would be right, and doesn't quote what is not: it may have a password in it.
func explain(v reflect.Value, err error) error {
	switch {
	case err == nil:
		return nil
	case v.Type() == reflect.TypeFor[promconfig.URL]():
		return errors.New("is not a URL like http://host:port")
	case v.Type() == reflect.TypeFor[promconfig.TLSVersion]():
		return fmt.Errorf("must be one of %s", strings.Join(slices.Sorted(maps.Keys(promconfig.TLSVersions)), ", "))
	}
	return err
}

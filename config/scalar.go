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

// parserOf returns the parser of a single value, or nil if v is text or is not a single value.
func parserOf(v reflect.Value) func(*yaml.Node) error {
	if parser, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return func(node *yaml.Node) error { return parser.UnmarshalText([]byte(node.Value)) }
	}
	// Sections of the Prometheus project's configurations have this method, too, but are read here as all other sections are.
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

// plain reads a value that YAML defines: a boolean, a number or text.
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

// explain returns an error that describes a valid value. It does not quote the invalid one, which may contain a password.
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

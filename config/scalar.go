package config

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/internal/suggest"
)

// parserOf returns the parser of a single value, or nil if v is text or is not a single value.
func parserOf(v reflect.Value) func(*yaml.Node) error {
	if parser, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return func(node *yaml.Node) error { return parser.UnmarshalText([]byte(node.Value)) }
	}
	// Sections of the Prometheus project's configurations have this method, too, but are read here as all other sections are.
	parser, ok := reflect.TypeAssert[interface{ UnmarshalYAML(func(any) error) error }](v.Addr())
	if ok && !isSecret(v) && (v.Kind() != reflect.Struct || isValue(v)) {
		return func(node *yaml.Node) error { return explain(node, v, parser.UnmarshalYAML(node.Decode)) }
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
		return fmt.Errorf("%s is not %s", suggest.Quote(node.Value), want)
	}
	return nil
}

func number(node *yaml.Node, v reflect.Value) error {
	if err := plain(node, v, "a number"); err != nil {
		return err
	}
	if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
		return fmt.Errorf("%s is not a number", suggest.Quote(node.Value))
	}
	return nil
}

// explain returns an error that describes a valid value. It does not quote an invalid one that may contain a password.
func explain(node *yaml.Node, v reflect.Value, err error) error {
	switch {
	case err == nil:
		return nil
	case v.Type() == reflect.TypeFor[promconfig.URL]():
		return fmt.Errorf("%s is not a URL like http://host:port", quoteURL(node.Value))
	case v.Type() == reflect.TypeFor[promconfig.TLSVersion]():
		return suggest.NotOneOfOr(node.Value, slices.Sorted(maps.Keys(promconfig.TLSVersions)), map[string]string{
			"1.0": "TLS10", "1.1": "TLS11", "1.2": "TLS12", "1.3": "TLS13",
		})
	}
	return err
}

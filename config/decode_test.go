package config

import (
	"reflect"
	"testing"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// A setting of a type that the decoder does not know would be refused in every file.
func TestEverySettingCanBeSet(t *testing.T) {
	r := &report{places: map[string]place{}, unread: map[string]bool{}}
	d := &decoder{report: r}
	var set func(v reflect.Value, path string)
	set = func(v reflect.Value, path string) {
		switch {
		case v.Kind() == reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			set(v.Elem(), path)
		case v.Kind() == reflect.Struct && !isValue(v):
			for name, field := range fieldsOf(v) {
				set(field, join(path, name))
			}
			if names, ok := namesOf(v); ok {
				set(names, path)
			}
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			set(v.Index(0), path+"[0]")
		case v.Kind() == reflect.Map:
			set(reflect.New(v.Type().Elem()).Elem(), join(path, "key"))
		case v.Kind() == reflect.Bool:
			d.decode(&yaml.Node{Kind: yaml.ScalarNode, Value: "true"}, v, path, 1)
		case v.Type() == reflect.TypeFor[promconfig.TLSVersion]():
			d.decode(&yaml.Node{Kind: yaml.ScalarNode, Value: "TLS12"}, v, path, 1)
		default:
			d.decode(&yaml.Node{Kind: yaml.ScalarNode, Value: "0"}, v, path, 1)
		}
	}
	set(reflectOf(&Config{}), "")
	set(reflectOf(&alertmanagers{}), "")
	require.NoError(t, r.err())
	require.Contains(t, r.places, "sources[0].zk.auth.password")
	require.Contains(t, r.places, "sources[0].roster.members.key[0]")
	require.Contains(t, r.places, "alertmanagers[0].oauth2.tls_config.min_version")
	require.Contains(t, r.places, "alertmanagers[0].http_headers.key.secrets[0]")
	require.NotContains(t, r.places, "alertmanagers[0].basic_auth.password_ref")

	var number struct {
		N complex64 `yaml:"n"`
	}
	set(reflectOf(&number), "")
	require.EqualError(t, r.err(), ":1: n: can't be set in a file")
}

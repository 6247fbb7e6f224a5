package config

import (
	"iter"
	"reflect"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"servicegroup_exporter/drivers"
)

// fieldsOf iterates over the settings of a struct and their keys: the fields with a yaml tag, also of inlined structs.
//
// It leaves out keys that end in _ref. They name secrets in a secret manager, which this program does not have.
func fieldsOf(v reflect.Value) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		for i := range v.NumField() {
			name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			switch {
			case name == "" && options == "inline" && v.Field(i).Kind() == reflect.Struct:
				for name, inner := range fieldsOf(v.Field(i)) {
					if !yield(name, inner) {
						return
					}
				}
			case name == "" || name == "-" || strings.HasSuffix(name, "_ref"):
			case !yield(name, v.Field(i)):
				return
			}
		}
	}
}

// namesOf returns the map of a struct whose only field is an inlined map, the keys of which the user chooses.
func namesOf(v reflect.Value) (reflect.Value, bool) {
	if v.NumField() != 1 || v.Type().Field(0).Tag.Get("yaml") != ",inline" || v.Field(0).Kind() != reflect.Map {
		return reflect.Value{}, false
	}
	return v.Field(0), true
}

// isSecret reports whether a value is a secret, which is never shown.
func isSecret(v reflect.Value) bool {
	return v.Type() == reflect.TypeFor[drivers.Secret]() || v.Type() == reflect.TypeFor[promconfig.Secret]()
}

// isValue reports whether a struct is a single value, and not a section with settings.
func isValue(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	for range fieldsOf(v) {
		return false
	}
	_, names := namesOf(v)
	return !names
}

// setDirectory lets relative paths begin at a folder, in every section that has a method SetDirectory. Such a method also
// sets the paths of the sections inside.
func setDirectory(v reflect.Value, dir string) {
	if v.CanAddr() {
		if s, ok := reflect.TypeAssert[promconfig.DirectorySetter](v.Addr()); ok {
			s.SetDirectory(dir)
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			setDirectory(v.Elem(), dir)
		}
	case reflect.Struct:
		for _, field := range fieldsOf(v) {
			setDirectory(field, dir)
		}
	case reflect.Slice:
		for i := range v.Len() {
			setDirectory(v.Index(i), dir)
		}
	default:
	}
}

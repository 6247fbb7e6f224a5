package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
)

// Fingerprint returns the same text for two lists of sections exactly when all their settings are equal, including the
// content of secrets. The arguments point to the sections. It is a hash, which hides the settings.
func Fingerprint(sections ...any) string {
	hash := sha256.New()
	for i, section := range sections {
		write(hash, strings.Repeat("+", i), reflectOf(section))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// write writes every setting of v with its path.
func write(w io.Writer, path string, v reflect.Value) {
	if secret, ok := reflect.TypeAssert[drivers.Secret](v); ok {
		fmt.Fprintf(w, "%s=%x\n", path, secret.Sum())
		return
	}
	if isValue(v) {
		fmt.Fprintf(w, "%s=%v\n", path, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			write(w, path, v.Elem())
		}
	case reflect.Struct:
		fmt.Fprintf(w, "%s{}\n", path)
		if names, ok := namesOf(v); ok {
			write(w, path, names)
		}
		for name, field := range fieldsOf(v) {
			write(w, join(path, name), field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			write(w, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for _, key := range sortedKeys(v) {
			write(w, fmt.Sprintf("%s[%q]", path, key), v.MapIndex(key))
		}
	case reflect.String:
		// The kind is asked for because the String method of a secret hides its text.
		fmt.Fprintf(w, "%s=%q\n", path, v.String())
	default:
		fmt.Fprintf(w, "%s=%v\n", path, v)
	}
}

// sortedKeys returns the keys of a map from text.
func sortedKeys(m reflect.Value) []reflect.Value {
	return slices.SortedFunc(slices.Values(m.MapKeys()), func(a, b reflect.Value) int {
		return strings.Compare(a.String(), b.String())
	})
}

package config

import (
	"cmp"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"servicegroup_exporter/drivers"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// A documented key is a row of the page about the configuration.
type documented struct{ value, meaning string }

// pageSections returns the keys in the tables of the page by section. A section is the code in a heading.
func pageSections(t *testing.T) map[string]map[string]documented {
	t.Helper()
	all := map[string]map[string]documented{}
	section := ""
	for line := range strings.Lines(readPage(t)) {
		if heading := regexp.MustCompile("^#+ (?:`([^`]+)`|The file)$").FindStringSubmatch(strings.TrimSpace(line)); heading != nil {
			section = cmp.Or(heading[1], "the file")
			require.NotContains(t, all, section)
			all[section] = map[string]documented{}
		}
		row := regexp.MustCompile("^\\| `([a-z0-9_]+)` \\| (?:`([^`]*)`)? *\\| (.*) \\|\n$").FindStringSubmatch(line)
		if row != nil {
			require.NotContains(t, all[section], row[1], section)
			all[section][row[1]] = documented{row[2], row[3]}
		}
	}
	return all
}

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	return string(page)
}

// A described section is a section of the file and its path.
type described struct {
	path string
	reflect.Value
}

// fileSections returns every kind of section of the file once, with its defaults. Sections nearer to the top come first.
func fileSections() (all []described) {
	seen := map[reflect.Type]bool{}
	todo := []described{{"the file", reflectOf(&Config{})}}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		if seen[s.Type()] {
			continue
		}
		seen[s.Type()] = true
		seed(s.Addr().Interface())
		if c, ok := reflect.TypeAssert[*DB](s.Addr()); ok { // The page has the times of the schema that is the default.
			c.ServiceDownTime, c.ReportInterval = drivers.Duration(time.Minute), drivers.Duration(10*time.Second)
		}
		all = append(all, s)
		for name, f := range fieldsOf(s.Value) {
			path := strings.TrimPrefix(s.path+"."+name, "the file.")
			of, in := f.Type(), map[reflect.Kind]string{reflect.Pointer: "", reflect.Slice: "[]", reflect.Map: ".NAME"}
			for step, ok := in[of.Kind()]; ok; step, ok = in[of.Kind()] {
				path, of = path+step, of.Elem()
			}
			inner := reflect.New(of).Elem()
			if of.Kind() != reflect.Struct || isValue(inner) || parserOf(inner) != nil {
				continue
			}
			if names, ok := namesOf(inner); ok {
				path, inner = path+".NAME", reflect.New(names.Type().Elem()).Elem()
			}
			todo = append(todo, described{path, inner})
		}
	}
	return all
}

// The page has every key of every section, with its default, and no other.
func TestConfigurationPage(t *testing.T) {
	page := pageSections(t)
	sections := map[string]bool{}
	for _, s := range fileSections() {
		sections[s.path] = true
		keys := map[string]bool{}
		for name, f := range fieldsOf(s.Value) {
			keys[name] = true
			said, there := page[s.path][name]
			if !there {
				t.Errorf("%s: the page lacks %s", s.path, name)
				continue
			}
			require.Equal(t, isSecret(f), strings.HasPrefix(said.meaning, "Secret: "), "%s: %s", s.path, name)
			if said.value == "" {
				require.True(t, f.IsZero() || f.Kind() == reflect.Struct, "%s: the default of %s is %v", s.path, name, f)
				continue
			}
			value := reflect.New(f.Type()).Elem()
			var node yaml.Node
			require.NoError(t, yaml.Unmarshal([]byte(said.value), &node), "%s: %s", s.path, name)
			d := &decoder{report: &report{places: map[string]place{}, unread: map[string]bool{}}}
			d.decode(node.Content[0], value, name, 0)
			require.NoError(t, d.err(), "%s: %s", s.path, name)
			require.Equal(t, f.Interface(), value.Interface(), "%s: the default of %s", s.path, name)
		}
		for name := range page[s.path] {
			require.True(t, keys[name], "%s has no key %s", s.path, name)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(page)) {
		require.True(t, sections[path] || len(page[path]) == 0, "there is no section %s", path)
	}
}

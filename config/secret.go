package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// secret reads a secret from the place that its key names: the file itself, another file, or the environment. It is recorded
// under the name of the secret, where checks look for it.
func (d *decoder) secret(s setting, key, value *yaml.Node, section string) {
	path, own := join(section, key.Value), join(section, s.secret)
	if other, ok := d.places[own]; ok {
		d.addf(key.Line, path, "%q on line %d sets the same secret; keep one of them",
			other.path[len(section)+1:], other.line)
		return
	}
	var text string
	d.decode(value, reflectOf(&text), path, key.Line)
	d.places[own] = place{key.Line, path}
	if d.unread[path] {
		return
	}
	secret, err := s.read(d, text)
	if err == nil {
		err = setSecret(s.field, secret)
	}
	if err != nil {
		d.unreadf(key.Line, path, "%v", err)
	}
}

// setSecret sets a field to a secret, and fails if the secret can't be read. A field of the Prometheus project's type gets
// its text.
func setSecret(field reflect.Value, secret drivers.Secret) error {
	text, err := secret.Read()
	if err != nil {
		return err
	}
	if field.Type() == reflect.TypeFor[drivers.Secret]() {
		field.Set(reflect.ValueOf(secret))
	} else {
		field.SetString(text)
	}
	return nil
}

func inline(_ *decoder, value string) (drivers.Secret, error) { return drivers.SecretText(value), nil }

func fromFile(d *decoder, path string) (drivers.Secret, error) {
	return drivers.SecretFile(d.absolute(path))
}

func fromEnvironment(_ *decoder, name string) (drivers.Secret, error) {
	content, ok := os.LookupEnv(name)
	if !ok {
		return drivers.Secret{}, fmt.Errorf("environment variable %q is not set%s", name, suggest.Hint(name, variables()))
	}
	if content == "" {
		return drivers.Secret{}, fmt.Errorf("environment variable %q is empty", name)
	}
	return drivers.SecretText(content), nil
}

// variables returns the names of the environment variables that are set.
func variables() []string {
	var names []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	return names
}

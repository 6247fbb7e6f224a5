package config

import (
	"fmt"
	"io"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxSecret bounds what is read as a secret.
const maxSecret = 64 << 10

// secret takes a secret from wherever the key says that it is. Validation looks for it under its own name.
func (d *decoder) secret(s setting, key, value *yaml.Node, section string) {
	path, own := join(section, key.Value), join(section, s.secret)
	if other, ok := d.places[own]; ok {
		d.addf(key.Line, path, "%q on line %d gives the same secret; keep one of them",
			other.path[len(section)+1:], other.line)
		return
	}
	d.decode(value, s.field, path, key.Line)
	d.places[own] = place{key.Line, path}
	if d.unread[path] {
		return
	}
	content, err := s.read(d, s.field.String())
	if err != nil {
		d.unreadf(key.Line, path, "%v", err)
		return
	}
	s.field.SetString(content)
}

func inline(_ *decoder, value string) (string, error) { return value, nil }

// fromFile reads a secret from a file and removes one newline at its end. An empty file is refused: it is one that is
// being written just now, or was not mounted.
func fromFile(d *decoder, path string) (string, error) {
	path = d.absolute(path)
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	content := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if content == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return content, nil
}

func fromEnvironment(_ *decoder, name string) (string, error) {
	content, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("environment variable %q is not set", name)
	}
	if content == "" {
		return "", fmt.Errorf("environment variable %q is empty", name)
	}
	return content, nil
}

// Package oslo reads configuration files as OpenStack's services do, with the rules of oslo.config. They differ from the rules of
// other INI files: a value may contain # and ;, may be quoted, and continues in indented lines. Sections and options may be
// repeated. Values refer to other options as $name.
package oslo

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The limits of what is read: bytes of a file, and files.
const (
	maxFile  = 1 << 20
	maxFiles = 1000
)

// Config has the options of a list of files.
type Config struct {
	values map[option][]value
	files  int
}

// An option is identified by its section and name. Section names ignore case, except for DEFAULT.
type option struct{ section, name string }

// A value is the text of one assignment, and its place.
type value struct {
	text string
	file string
	line int
}

func (v *value) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", v.file, v.line, fmt.Errorf(format, args...))
}

// Read reads files in order, as a service reads the files of --config-file. Of a folder it reads the *.conf files, sorted by name,
// as with --config-dir. Later values take precedence. The error names the file, and the line if there is one, but shows no
// value, which may be a secret.
func Read(paths ...string) (*Config, error) {
	c := &Config{values: map[option][]value{}}
	for _, path := range paths {
		files, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := c.read(file); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// expand returns the files of a folder, or the file itself.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".conf") && name[0] != '.' {
			files = append(files, filepath.Join(path, name))
		}
	}
	return files, nil
}

func (c *Config) read(path string) error {
	if c.files++; c.files > maxFiles {
		return fmt.Errorf("%s: there are more than %d files", path, maxFiles)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return c.parse(path, string(text))
}

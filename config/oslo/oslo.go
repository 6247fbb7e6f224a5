// Package oslo reads configuration files as OpenStack's services do, which is the way of oslo.config: not quite that of
// any other reader of such files. A value may hold # and ;, may be quoted, and goes on in indented lines; sections and
// options may be repeated; values refer to other options as $name.
package oslo

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The bounds of what is read.
const (
	maxFile  = 1 << 20
	maxFiles = 1000
)

// Config is what a list of files says.
type Config struct {
	values map[option][]value
	files  int
}

// An option is named as in a file, but for sections: they are the same in upper and lower case, as long as they are not
// DEFAULT.
type option struct{ section, name string }

// A value is what one assignment says, and where it stands.
type value struct {
	text string
	file string
	line int
}

func (v *value) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", v.file, v.line, fmt.Errorf(format, args...))
}

// Read reads files in the order in which a service gets them as --config-file or, for a folder, as --config-dir: of a
// folder its *.conf, sorted by name. What is read later counts more. The error says the file, and the line if there is
// one, but shows no value: it may be a secret.
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

// expand gives the files of a folder, or the file itself.
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

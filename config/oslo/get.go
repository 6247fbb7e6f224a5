package oslo

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The limits of references: how many are followed, and the length of the result in bytes. References may be circular, and
// each may double the value.
const (
	maxReferences = 100
	maxValue      = 64 << 10
)

var (
	errUnset = errors.New("refers to an option that is not set in these files as $name or ${name}; " +
		"to write a dollar sign, write $$")
	errTooLong = errors.New("its references to other options are circular, or make it too long")
)

// reference matches the same text as Python's string.Template, with names that may contain dots.
var reference = regexp.MustCompile(`\$(\$|[_a-zA-Z][._a-zA-Z0-9]*|\{[_a-zA-Z][._a-zA-Z0-9]*\})`)

// Get returns an option's value with its references replaced, and whether it is set. The last of several assignments counts.
// A reference to an option that no file sets is an error, because the defaults of services are not known here.
func (c *Config) Get(section, name string) (text string, ok bool, err error) {
	v := c.last(section, name)
	if v == nil {
		return "", false, nil
	}
	text, err = c.resolve(v, section, name)
	return text, err == nil, err
}

// All returns all values of an option, in order, with references replaced.
func (c *Config) All(section, name string) ([]string, error) {
	var texts []string
	for _, v := range c.values[option{normal(section), name}] {
		text, err := c.resolve(&v, section, name)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// Errorf returns an error about an option, with the place of its value.
func (c *Config) Errorf(section, name, format string, args ...any) error {
	err := fmt.Errorf("[%s] %s: %w", section, name, fmt.Errorf(format, args...))
	if v := c.last(section, name); v != nil {
		return v.errorf("%w", err)
	}
	return err
}

func (c *Config) last(section, name string) *value {
	values := c.values[option{normal(section), name}]
	if len(values) == 0 {
		return nil
	}
	return &values[len(values)-1]
}

func (c *Config) resolve(v *value, section, name string) (string, error) {
	text, err := (&resolver{c, maxReferences}).resolve(v, section)
	if err != nil {
		return "", v.errorf("[%s] %s: %w", section, name, err)
	}
	return text, nil
}

// A resolver replaces references. Its budget is how many more it may replace.
type resolver struct {
	config *Config
	budget int
}

// resolve replaces $name, ${name} and ${section.name}, and turns $$ and \$ into a dollar sign. Other text that begins with a
// dollar sign stays unchanged.
func (r *resolver) resolve(v *value, section string) (string, error) {
	text := strings.ReplaceAll(v.text, `\$`, "$$")
	var out strings.Builder
	rest := 0
	for _, at := range reference.FindAllStringIndex(text, -1) {
		out.WriteString(text[rest:at[0]])
		rest = at[1]
		replacement, err := r.lookUp(strings.Trim(text[at[0]+1:at[1]], "{}"), section)
		if err != nil {
			return "", err
		}
		out.WriteString(replacement)
		if out.Len() > maxValue {
			return "", errTooLong
		}
	}
	out.WriteString(text[rest:])
	return out.String(), nil
}

// lookUp returns the value of the option that a name refers to: one of the same section, else one of DEFAULT.
func (r *resolver) lookUp(name, section string) (string, error) {
	if name == "$" {
		return name, nil
	}
	if r.budget--; r.budget < 0 {
		return "", errTooLong
	}
	sections := []string{section, "DEFAULT"}
	if other, option, dotted := strings.Cut(name, "."); dotted {
		sections, name = []string{other}, option
	}
	for _, section := range sections {
		if v := r.config.last(section, name); v != nil {
			return r.resolve(v, section)
		}
	}
	return "", errUnset
}

package oslo

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A parser has the state of parsing one file.
type parser struct {
	values  map[option][]value
	file    string
	line    int
	section string
	open    *value // the value that an indented line continues
}

// parse adds the options of a file.
func (c *Config) parse(file, text string) error {
	p := &parser{values: c.values, file: file}
	text = strings.TrimPrefix(text, "\ufeff") // the byte order mark of Windows' editors
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		p.line++
		if err := p.next(strings.TrimRightFunc(line, isSpace)); err != nil {
			return fmt.Errorf("%s:%d: %w", file, p.line, err)
		}
	}
	return nil
}

// isSpace reports whether Python's str.strip removes a character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// next parses one line, without space at its end.
func (p *parser) next(line string) error {
	if line != "" && (line[0] == ' ' || line[0] == '\t') {
		return p.continueValue(strings.TrimLeftFunc(line, isSpace))
	}
	p.open = nil
	switch {
	case line == "" || line[0] == '#' || line[0] == ';':
		return nil
	case line[0] == '[':
		return p.begin(line)
	default:
		return p.assign(line)
	}
}

func (p *parser) continueValue(line string) error {
	if p.open == nil {
		return errors.New("an indented line that continues no value")
	}
	p.open.text += "\n" + line
	return nil
}

func (p *parser) begin(line string) error {
	name, closed := strings.CutSuffix(line[1:], "]")
	switch {
	case !closed:
		return errors.New("a section's name must end with ], without text after it")
	case name == "":
		return errors.New("a section has no name")
	}
	p.section = normal(name)
	return nil
}

// normal returns the same name for sections that oslo.config does not distinguish.
func normal(section string) string {
	if section == "DEFAULT" {
		return section
	}
	return strings.ToLower(section)
}

// assign parses a line with a name and a value, which may be quoted. The name ends at the first = or :. A comment can't follow
// a value.
func (p *parser) assign(line string) error {
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return errors.New("neither a [section] nor name = value")
	}
	name := strings.TrimFunc(line[:i], isSpace)
	switch {
	case name == "":
		return errors.New("a value without a name")
	case p.section == "":
		return errors.New("a value before the first [section]")
	}
	text := strings.TrimFunc(line[i+1:], isSpace)
	if n := len(text); n > 0 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = text[1:max(n-1, 1)]
	}
	o := option{p.section, name}
	p.values[o] = append(p.values[o], value{text, p.file, p.line})
	p.open = &p.values[o][len(p.values[o])-1]
	return nil
}

package oslo

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A parser is in the middle of a file.
type parser struct {
	values  map[option][]value
	file    string
	line    int
	section string
	open    *value // the value that an indented line goes on with
}

// parse adds what a file says to what was read before.
func (c *Config) parse(file, text string) error {
	p := &parser{values: c.values, file: file}
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		p.line++
		if err := p.next(strings.TrimRightFunc(line, isSpace)); err != nil {
			return fmt.Errorf("%s:%d: %w", file, p.line, err)
		}
	}
	return nil
}

// isSpace says what Python's str.strip removes.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// next takes one line, without space at its end.
func (p *parser) next(line string) error {
	if line != "" && (line[0] == ' ' || line[0] == '\t') {
		return p.goOn(strings.TrimLeftFunc(line, isSpace))
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

func (p *parser) goOn(line string) error {
	if p.open == nil {
		return errors.New("an indented line that continues nothing")
	}
	p.open.text += "\n" + line
	return nil
}

func (p *parser) begin(line string) error {
	name, closed := strings.CutSuffix(line[1:], "]")
	switch {
	case !closed:
		return errors.New("a section's name must end with ], and nothing may follow")
	case name == "":
		return errors.New("a section has no name")
	}
	p.section = normal(name)
	return nil
}

// normal gives sections that are the same to oslo.config the same name.
func normal(section string) string {
	if section == "DEFAULT" {
		return section
	}
	return strings.ToLower(section)
}

// assign takes a line with a name and a value, which may stand in quotes. Names end at the first = or :, whichever comes
// first; a comment can't follow a value.
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

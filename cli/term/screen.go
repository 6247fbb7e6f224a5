// Package term prints tables and lines for people: on a terminal they fit its width and have colours, in a file or a pipe
// they are complete and plain.
//
// The package has its own table because go-pretty, the library that comes closest, miscounts the width of characters that
// consist of several code points, can't shrink columns in a given order, and can't print rows that come one at a time.
package term

import (
	"io"
	"math"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/sys/unix"
)

// A Style is how a terminal shows a text: the parameters of an SGR escape sequence.
type Style string

// The styles use the eight colours that every terminal has. They repeat what the text says.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Red    Style = "1;31" // bold too, because plain red is hard to read on many dark screens
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// A Screen is the output of a command that prints for people.
type Screen struct {
	io.Writer
	terminal *os.File // nil: the output is no terminal
	colours  bool
	chars    *runewidth.Condition // the width of characters in the user's locale
}

// New returns a screen that prints to out. The mode is "always", "never" or "auto": colours on a terminal, unless the
// environment has NO_COLOR (no-color.org) or a TERM without colours.
func New(out io.Writer, mode string) *Screen {
	s := &Screen{Writer: out, chars: runewidth.NewCondition()}
	if file, ok := out.(*os.File); ok {
		if _, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err == nil {
			s.terminal = file
		}
	}
	term := os.Getenv("TERM")
	capable := s.terminal != nil && os.Getenv("NO_COLOR") == "" && term != "" && term != "dumb"
	s.colours = mode == "always" || mode == "auto" && capable
	return s
}

// IsTerminal reports whether the output is a terminal.
func (s *Screen) IsTerminal() bool { return s.terminal != nil }

// Width returns how many columns a line may have now; the user may resize the terminal at any time. It is the greatest
// integer if the output is no terminal, or a terminal that does not report its size.
func (s *Screen) Width() int {
	if s.terminal != nil {
		size, err := unix.IoctlGetWinsize(int(s.terminal.Fd()), unix.TIOCGWINSZ)
		if err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return math.MaxInt
}

// TextWidth returns how many columns a text takes.
func (s *Screen) TextWidth(text string) int { return s.chars.StringWidth(text) }

// Paint adds the escape sequences that give a text its style.
func (s *Screen) Paint(text string, look Style) string {
	if !s.colours || look == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(look) + "m" + text + "\x1b[0m"
}

// A Cell is a text in a column.
type Cell struct {
	Text  string
	Style Style
}

// Line lays cells out in columns of the given widths, with gap blanks between them. Columns of width zero are left out.
// The line is never wider than limit.
func (s *Screen) Line(cells []Cell, widths []int, gap, limit int) string {
	var line strings.Builder
	pos := 0   // where the text of the line ends
	start := 0 // where the next cell begins
	for i, c := range cells {
		if widths[i] == 0 {
			continue
		}
		if start >= limit {
			break
		}
		text := s.shorten(c.Text, min(widths[i], limit-start))
		if text != "" {
			line.WriteString(strings.Repeat(" ", start-pos))
			line.WriteString(s.Paint(text, c.Style))
			pos = start + s.TextWidth(text)
		}
		start += widths[i] + gap
	}
	return line.String()
}

// shorten cuts a text that is too wide, and marks the cut with an ellipsis.
func (s *Screen) shorten(text string, width int) string {
	const mark = "…"
	if width < s.TextWidth(mark) {
		return ""
	}
	return s.chars.Truncate(text, width, mark)
}

// Wrap breaks a text into lines, at a blank where there is one near the end of the line.
func (s *Screen) Wrap(text string, width int) []string {
	var lines []string
	for s.TextWidth(text) > width {
		line := s.chars.Truncate(text, width, "")
		if blank := strings.LastIndexByte(line, ' '); blank > len(line)/3 {
			line = line[:blank]
		}
		if line == "" {
			break
		}
		lines = append(lines, line)
		text = strings.TrimPrefix(text[len(line):], " ")
	}
	return append(lines, text)
}

package cli

import (
	"io"
	"math"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/mattn/go-runewidth"
	"golang.org/x/sys/unix"
)

// A style is how a terminal shows a text: the numbers of an SGR escape sequence.
type style string

// The styles are few, of the eight colours that every terminal has, and say nothing that the text does not.
const (
	plain  style = ""
	bold   style = "1"
	red    style = "1;31" // bold too: on many dark screens plain red is hard to read
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// A screen is where a command prints what people read: a terminal, or a file or pipe, which gets everything in full.
type screen struct {
	io.Writer
	terminal *os.File // nil: no terminal
	colours  bool
	chars    *runewidth.Condition // how wide characters are in the user's locale
}

func addColorFlag(c *kingpin.CmdClause) *string {
	return c.Flag("color", "Colours: auto (on a terminal, unless $NO_COLOR is set), always or never.").
		Default("auto").Enum("auto", "always", "never")
}

// newScreen makes a screen of an output. In mode auto it has colours as no-color.org and git have it.
func newScreen(out io.Writer, mode string) *screen {
	s := &screen{Writer: out, chars: runewidth.NewCondition()}
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

// width is how many columns a line may have, by now: the user may change it at any time. It is the greatest number there
// is for what is no terminal, and for one that does not say.
func (s *screen) width() int {
	if s.terminal != nil {
		size, err := unix.IoctlGetWinsize(int(s.terminal.Fd()), unix.TIOCGWINSZ)
		if err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return math.MaxInt
}

// paint adds the escape sequences that give a text its style.
func (s *screen) paint(text string, look style) string {
	if !s.colours || look == plain || text == "" {
		return text
	}
	return "\x1b[" + string(look) + "m" + text + "\x1b[0m"
}

// A cell is a text in a column.
type cell struct {
	text string
	look style
}

// line lays cells out in columns of the given widths, with gap blanks between them. Columns of width zero are left out.
// The line is never wider than limit.
func (s *screen) line(cells []cell, widths []int, gap, limit int) string {
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
		text := s.shorten(c.text, min(widths[i], limit-start))
		if text != "" {
			line.WriteString(strings.Repeat(" ", start-pos))
			line.WriteString(s.paint(text, c.look))
			pos = start + s.chars.StringWidth(text)
		}
		start += widths[i] + gap
	}
	return line.String()
}

// shorten cuts a text that is too wide, and shows that it did.
func (s *screen) shorten(text string, width int) string {
	const mark = "…"
	if width < s.chars.StringWidth(mark) {
		return ""
	}
	return s.chars.Truncate(text, width, mark)
}

// wrap breaks a text into lines, at a blank where there is one near the end of the line.
func (s *screen) wrap(text string, width int) []string {
	var lines []string
	for s.chars.StringWidth(text) > width {
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

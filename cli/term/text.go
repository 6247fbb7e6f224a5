package term

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// None is printed where there is no value.
const None = "-"

// Printable quotes a text from a backend that would otherwise break the line, or send control sequences to the terminal.
func Printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// PrintableLines applies [Printable] to each line of a text, for example of joined errors.
func PrintableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// OrNone returns the printable text, or [None] if the text is empty.
func OrNone(s string) string {
	if s == "" {
		return None
	}
	return Printable(s)
}

// Duration formats a duration for people: in two units, as "1h6m", or in one if there are ten or more of it, as "12m".
func Duration(d time.Duration) string {
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units[:len(units)-1] {
		if d < u.size {
			continue
		}
		next := units[i+1]
		n, rest := d/u.size, d%u.size/next.size
		if n >= 10 || rest == 0 {
			return fmt.Sprintf("%d%s", n, u.name)
		}
		return fmt.Sprintf("%d%s%d%s", n, u.name, rest, next.name)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

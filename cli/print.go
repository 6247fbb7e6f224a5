package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// nothing stands where there is no value.
const nothing = "-"

// printable quotes text from a backend that would otherwise break a line, or speak to the terminal.
func printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// printableLines is printable text of several lines, as errors may be.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// orNothing is printable text that is never empty.
func orNothing(s string) string {
	if s == "" {
		return nothing
	}
	return printable(s)
}

// short writes a duration for people: in two units, or in one from ten of it on.
func short(d time.Duration) string {
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

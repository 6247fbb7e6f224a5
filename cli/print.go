package cli

import (
	"strconv"
	"strings"
	"unicode"
)

// printable quotes text from a backend that would otherwise break a line, or speak to the terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

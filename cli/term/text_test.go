package term

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// No character in a name can break a line or send control sequences to the terminal.
func TestEveryCharacterIsPrintable(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		shown := Printable("a" + string(r))
		if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%U is shown as %q", r, shown)
		}
	}
}

package cli

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever sign is in a name, it can neither break a line nor speak to the terminal.
func TestEverySignIsPrintable(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		shown := printable("a" + string(r))
		if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%U is shown as %q", r, shown)
		}
	}
}

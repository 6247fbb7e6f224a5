// Package suggest says which words are allowed where a word is refused, and which of them was probably meant. Every setting, flag
// and parameter with a closed set of values uses it, so that their errors read alike.
package suggest

import (
	"errors"
	"fmt"
	"strings"
)

// minPart is the minimum length of a word that may be a part of the name that was meant.
const minPart = 3

// nearest returns the name that was probably meant by word, or no name. A third of the letters may differ, or exactly one name
// begins or ends with the word, or the word with it. Upper and lower case, dashes and underscores are alike.
//
// A client of the API may send words of many kilobytes. Names of another length than can be meant cost nothing.
func nearest(word string, names []string) string {
	word = normal(word)
	best, least := "", max(1, len(word)/3)+1
	var similar []string
	for _, name := range names {
		other := normal(name)
		if max(len(word)-len(other), len(other)-len(word)) < least { // There are at least as many edits.
			if n := edits(word, other); n < least {
				best, least = name, n
			}
		}
		if isEnd(word, other) || isEnd(other, word) {
			similar = append(similar, name)
		}
	}
	if best == "" && len(similar) == 1 {
		return similar[0]
	}
	return best
}

// isEnd reports whether a text begins or ends with a part that is long enough.
func isEnd(part, text string) bool {
	return len(part) >= minPart && (strings.HasPrefix(text, part) || strings.HasSuffix(text, part))
}

func normal(word string) string { return strings.ReplaceAll(strings.ToLower(word), "-", "_") }

// maxWord is the maximum length of a word that an error quotes whole.
const maxWord = 60

// Quote returns a word in quotation marks, cut if it is long.
func Quote(word string) string {
	if len(word) > maxWord {
		return fmt.Sprintf("%.*q…", maxWord, word)
	}
	return fmt.Sprintf("%q", word)
}

// NotOneOf returns the error that a word is not one of the allowed ones. It names the nearest.
func NotOneOf(word string, allowed []string) error { return NotOneOfOr(word, allowed, nil) }

// NotOneOfOr is NotOneOf for words that also have other names: others has the allowed word for each.
func NotOneOfOr(word string, allowed []string, others map[string]string) error {
	if word == "" {
		return errors.New("is empty: write one of " + strings.Join(allowed, ", "))
	}
	text := Quote(word) + " is not one of " + strings.Join(allowed, ", ")
	if others[normal(word)] != "" {
		return errors.New(text + Hint(others[normal(word)], allowed))
	}
	return errors.New(text + Hint(word, allowed))
}

// Hint returns "; did you mean …?" with the nearest of some names, or nothing.
func Hint(word string, names []string) string {
	if near := nearest(word, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// edits returns the number of insertions, deletions, replacements and swaps of neighbours that turn a into b.
func edits(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

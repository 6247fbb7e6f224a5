package config

import "strings"

// suggest returns the name that was probably meant by word, or no name. A third of the letters may differ.
func suggest(word string, names []string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "_")
	best, least := "", max(1, len(word)/3)+1
	for _, name := range names {
		if n := edits(word, name); n < least {
			best, least = name, n
		}
	}
	return best
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

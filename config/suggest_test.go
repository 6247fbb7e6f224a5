package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSuggest(t *testing.T) {
	names := []string{"dsn", "poll_interval", "poll_timeout", "servers"}
	for word, want := range map[string]string{
		"dns":           "dsn",
		"ds":            "dsn",
		"DSN":           "dsn",
		"server":        "servers",
		"sevrers":       "servers",
		"poll-interval": "poll_interval",
		"pollinterval":  "poll_interval",
		"poll_timout":   "poll_timeout",
		"interval":      "",
		"xyz":           "",
		"":              "",
	} {
		require.Equal(t, want, suggest(word, names), word)
	}
}

func TestEdits(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "ab", 2},
		{"ab", "", 2},
		{"same", "same", 0},
		{"ab", "ba", 1},
		{"kitten", "sitting", 3},
		{"dns", "dsn", 1},
	} {
		require.Equal(t, tt.want, edits(tt.a, tt.b), "%s %s", tt.a, tt.b)
	}
}

package suggest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
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
		"interval":      "poll_interval",
		"xyz":           "",
		"serv":          "servers",
		"servers_list":  "servers",
		"xdsn":          "dsn",
		"poll":          "", // two names begin with it
		"se":            "",
		"":              "",
	} {
		require.Equal(t, want, nearest(word, names), word)
	}
}

// A word that is much longer than all names is not compared with them letter by letter.
func TestLongWord(t *testing.T) {
	names := []string{"dsn", "poll_interval", "servers"}
	long := strings.Repeat("s", 60_000)
	require.Less(t, testing.AllocsPerRun(1, func() { require.Empty(t, nearest(long, names)) }), 100.0)
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

func TestNotOneOf(t *testing.T) {
	allowed := []string{"up", "down", "unknown"}
	for word, want := range map[string]string{
		"dwon":                    `"dwon" is not one of up, down, unknown; did you mean "down"?`,
		"UP":                      `"UP" is not one of up, down, unknown; did you mean "up"?`,
		"unk":                     `"unk" is not one of up, down, unknown; did you mean "unknown"?`,
		"dead":                    `"dead" is not one of up, down, unknown; did you mean "down"?`,
		"":                        "is empty: write one of up, down, unknown",
		"a\nb":                    `"a\nb" is not one of up, down, unknown`,
		strings.Repeat("x", 1000): `"` + strings.Repeat("x", maxWord) + `"… is not one of up, down, unknown`,
	} {
		require.EqualError(t, NotOneOfOr(word, allowed, map[string]string{"dead": "down"}), want)
	}
	require.EqualError(t, NotOneOf("dead", allowed), `"dead" is not one of up, down, unknown`)
}

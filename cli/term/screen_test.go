package term

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"
)

// Names that backends may have: with wide characters, combining characters, and an emoji of several code points.
const (
	wideName      = "日本語のホスト"
	combiningName = "cafe\u0301-01"
	emojiName     = "👩‍💻-laptop"
)

// testScreen returns a screen that is no terminal, for a locale outside East Asia.
func testScreen(colours bool) *Screen {
	return &Screen{Writer: &bytes.Buffer{}, colours: colours, chars: &runewidth.Condition{}}
}

func TestShorten(t *testing.T) {
	s := testScreen(false)
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"compute-01", 10, "compute-01"},
		{"compute-01", 9, "compute-…"},
		{"compute-01", 1, "…"},
		{"compute-01", 0, ""},
		{"compute-01", -3, ""},
		{"", 0, ""},
		{wideName, 14, wideName},
		{wideName, 13, "日本語のホス…"},
		{wideName, 12, "日本語のホ…"},
		{combiningName, 7, combiningName},
		{combiningName, 5, "cafe\u0301…"},
		{emojiName, 9, emojiName},
		{emojiName, 3, "👩‍💻…"},
		{emojiName, 2, "…"},
	} {
		got := s.shorten(c.text, c.width)
		require.Equal(t, c.want, got, "%q in %d", c.text, c.width)
		require.LessOrEqual(t, s.chars.StringWidth(got), max(0, c.width))
	}
}

// In East Asian locales the ellipsis itself is wide.
func TestShortenWhereTheMarkIsWide(t *testing.T) {
	s := testScreen(false)
	s.chars.EastAsianWidth = true
	require.Equal(t, "compute…", s.shorten("compute-01", 9))
	require.Empty(t, s.shorten("compute-01", 1))
}

func TestLine(t *testing.T) {
	cells := []Cell{{"ab", Plain}, {wideName, Green}, {"", Red}, {"end", Bold}}
	for _, c := range []struct {
		name   string
		widths []int
		limit  int
		want   string
	}{
		{"padded", []int{4, 16, 1, 3}, 100, "ab    " + wideName + "       end"},
		{"a column is left out", []int{4, 0, 0, 3}, 100, "ab    end"},
		{"the last is left out", []int{4, 16, 0, 0}, 100, "ab    " + wideName},
		{"cut", []int{2, 5, 0, 2}, 100, "ab  日本…  e…"},
		{"the line is full within a cell", []int{4, 16, 0, 3}, 9, "ab    日…"},
		{"the line is full between cells", []int{4, 16, 0, 3}, 6, "ab"},
		{"no room at all", []int{4, 16, 0, 3}, 0, ""},
	} {
		got := testScreen(false).Line(cells, c.widths, 2, c.limit)
		require.Equal(t, c.want, got, c.name)
		coloured := testScreen(true).Line(cells, c.widths, 2, c.limit)
		require.Equal(t, got, withoutEscapes(coloured), c.name)
	}
	require.Equal(t, "ab  \x1b[32m日本…\x1b[0m  \x1b[1mend\x1b[0m", testScreen(true).Line(cells, []int{2, 5, 0, 3}, 2, 100))
}

func TestWrap(t *testing.T) {
	s := testScreen(false)
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"source=a", 8, []string{"source=a"}},
		{"source=a outage=1s", 9, []string{"source=a", "outage=1s"}},
		{"source=a outage=1s", 8, []string{"source=a", "outage=1", "s"}},
		{"a verylongword", 8, []string{"a verylo", "ngword"}},
		{wideName, 5, []string{"日本", "語の", "ホス", "ト"}},
		{"source=a", 0, []string{"source=a"}},
	} {
		require.Equal(t, c.want, s.Wrap(c.text, c.width), "%q in %d", c.text, c.width)
	}
}

func TestColours(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm-256color")
	_, terminal, err := pty.Open()
	require.NoError(t, err)
	defer terminal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close()

	coloured := func(out *os.File, mode string) bool { return New(out, mode).colours }
	require.True(t, coloured(terminal, "auto"))
	require.True(t, coloured(terminal, "always"))
	require.False(t, coloured(terminal, "never"))
	require.False(t, coloured(file, "auto"))
	require.True(t, coloured(file, "always"))
	require.False(t, New(&bytes.Buffer{}, "auto").colours)

	t.Setenv("NO_COLOR", "1")
	require.False(t, coloured(terminal, "auto"))
	require.True(t, coloured(terminal, "always"), "--color=always wins over NO_COLOR")
	t.Setenv("NO_COLOR", "")
	for _, term := range []string{"dumb", ""} {
		t.Setenv("TERM", term)
		require.False(t, coloured(terminal, "auto"), "TERM=%s", term)
	}
}

func TestWidth(t *testing.T) {
	control, terminal, err := pty.Open()
	require.NoError(t, err)
	defer control.Close()
	defer terminal.Close()
	s := New(terminal, "auto")
	require.Equal(t, math.MaxInt, s.Width(), "a terminal that does not say")
	for _, columns := range []int{80, 200} {
		require.NoError(t, pty.Setsize(control, &pty.Winsize{Rows: 24, Cols: uint16(columns)}))
		require.Equal(t, columns, s.Width())
	}
	require.Equal(t, math.MaxInt, New(&bytes.Buffer{}, "auto").Width())
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		name    string
		widths  []int
		limit   int
		shrinks []Shrink
		want    []int
	}{
		{"it fits", []int{10, 10}, 22, []Shrink{{0, 5}}, []int{10, 10}},
		{"no more than needed", []int{10, 10}, 20, []Shrink{{0, 5}}, []int{8, 10}},
		{"one after the other", []int{10, 10}, 14, []Shrink{{0, 5}, {1, 4}}, []int{5, 7}},
		{"as far as it may", []int{10, 10}, 3, []Shrink{{0, 5}, {1, 4}}, []int{5, 4}},
		{"a column is left out, and makes room", []int{10, 10, 10}, 22, []Shrink{{0, 5}, {1, 0}}, []int{10, 0, 10}},
		{"some room", []int{10, 10, 10}, 19, []Shrink{{0, 5}, {1, 0}}, []int{7, 0, 10}},
		{"a column twice", []int{10, 10}, 14, []Shrink{{0, 8}, {1, 8}, {0, 2}}, []int{4, 8}},
		{"a column that is not there", []int{0, 10}, 8, []Shrink{{0, 0}, {1, 4}}, []int{0, 8}},
		{"no limit", []int{10, 10}, math.MaxInt, []Shrink{{0, 5}}, []int{10, 10}},
	} {
		Fit(c.widths, 2, c.limit, c.shrinks)
		require.Equal(t, c.want, c.widths, c.name)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"compute-01":     "compute-01",
		wideName:         wideName,
		combiningName:    combiningName,
		"a\x1b[31mb":     `"a\x1b[31mb"`,
		"a\nb":           `"a\nb"`,
		"a\u202eb":       `"a\u202eb"`,
		"a\u009b31mb":    `"a\u009b31mb"`,
		"a\x9b31mb":      `"a\x9b31mb"`, // the same control in Latin-1
		"":               "",
		"maintenance: é": "maintenance: é",
	} {
		require.Equal(t, want, Printable(text))
	}
	require.Equal(t, "one\n\"t\\x1bwo\"\nthree", PrintableLines("one\nt\x1bwo\nthree"))
	require.Equal(t, "-", OrNone(""))
}

func TestShort(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s":   999 * time.Millisecond,
		"59s":  59*time.Second + 999*time.Millisecond,
		"1m":   time.Minute,
		"1m1s": 61 * time.Second,
		"12m":  12*time.Minute + 30*time.Second,
		"1h6m": 66 * time.Minute,
		"23h":  24*time.Hour - 1,
		"2d7h": 55 * time.Hour,
		"400d": 400*24*time.Hour + time.Hour,
	} {
		require.Equal(t, want, Duration(d))
	}
}

// withoutEscapes removes the escape sequences of colours.
func withoutEscapes(s string) string {
	var text strings.Builder
	for s != "" {
		before, escape, found := strings.Cut(s, "\x1b[")
		text.WriteString(before)
		if !found {
			break
		}
		_, s, _ = strings.Cut(escape, "m")
	}
	return text.String()
}

package nova

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormat(t *testing.T) {
	const from = "mysql+pymysql://nova:p%40ss@DB.example:3307/nova?charset=utf8"
	for template, want := range map[string]string{
		"{scheme}://{username}:{password}@{hostname}:{port}/nova_cell1?{query}": "mysql+pymysql://nova:p%40ss@db.example:3307/nova_cell1?charset=utf8",
		"mysql://{username}:{password}@db2/{path}_2{fragment}":                  "mysql://nova:p%40ss@db2/nova_2",
		"mysql://u:p@h/plain":      "mysql://u:p@h/plain",
		"mysql://u:p{@h/nova":      "mysql://u:p{@h/nova",
		"mysql://{username}:}@h/d": "mysql://{username}:}@h/d",
		"mysql://{user}:{port}@h":  "mysql://{user}:{port}@h",
		"mysql://{{user}}:{port}":  "mysql://{user}:3307",
		"{port":                    "{port",
		"{":                        "{",
		"":                         "",
	} {
		require.Equal(t, want, Format(template, from), template)
	}
	require.Equal(t, "{hostname}", Format("{hostname}", ""), "without another DSN nothing is replaced")
	require.Equal(t, "h:None", Format("{hostname}:{port}", "mysql://u:p@h/d"), "as Nova does")
	require.Equal(t, "u2:p2@h2:2", Format("{username2}:{password2}@{hostname2}:{port2}", "mysql://u1:p1@h1:1,u2:p2@h2:2/d"))
}

// testdata/templates.json has random templates and DSNs with the result of Nova's own CellMapping._format_url, or the
// template itself where that failed, as in Nova.
func TestAgreesWithNova(t *testing.T) {
	text, err := os.ReadFile("testdata/templates.json")
	require.NoError(t, err)
	var cases [][3]string
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Len(t, cases, 200)
	changed := 0
	for _, c := range cases {
		require.Equal(t, c[2], Format(c[0], c[1]), "%q from %q", c[0], c[1])
		if c[0] != c[2] {
			changed++
		}
	}
	require.Equal(t, 120, changed)
}

func TestExtend(t *testing.T) {
	for _, c := range [][3]string{
		{"mysql://u@h/d", "", "mysql://u@h/d"},
		{"mysql://u@h/d", "ssl_mode=REQUIRED", "mysql://u@h/d?ssl_mode=REQUIRED"},
		{"mysql://u@h/d?charset=utf8", "a=b&c=d", "mysql://u@h/d?charset=utf8&a=b&c=d"},
		{"", "a=b", ""},
	} {
		require.Equal(t, c[2], Extend(c[0], c[1]))
	}
}

// No texts cause a panic, and a template without braces is not changed.
func FuzzFormat(f *testing.F) {
	f.Add("{scheme}://{username1}:{{{password}@{hostname}:{port}/{path}?{query}", "mysql://u:p@[::1]:1,@h/x?y#z")
	f.Add("}{", "://@:,[")
	f.Fuzz(func(t *testing.T, template, from string) {
		Format(template, from)
		require.Equal(t, "plain", Format("plain", from))
		if got := Format("a{path}b", from); got != "a{path}b" {
			require.Regexp(t, "(?s)^a.*b$", got)
		}
	})
}

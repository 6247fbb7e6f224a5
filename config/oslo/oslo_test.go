package oslo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// write writes files to a new folder and returns their paths, in order.
func write(t testing.TB, texts ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, text := range texts {
		path := filepath.Join(dir, fmt.Sprintf("%d.conf", i))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		paths = append(paths, path)
	}
	return paths
}

func read(t testing.TB, texts ...string) *Config {
	t.Helper()
	c, err := Read(write(t, texts...)...)
	require.NoError(t, err)
	return c
}

func get(t testing.TB, c *Config, section, name string) string {
	t.Helper()
	text, ok, err := c.Get(section, name)
	require.NoError(t, err)
	require.True(t, ok, "[%s] %s is not set", section, name)
	return text
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"x = plain":                          "plain",
		"x=mysql://u:p#1;2@h/d?a=b&c=d":      "mysql://u:p#1;2@h/d?a=b&c=d",
		"x: colon":                           "colon",
		"x:a=b":                              "a=b",
		"x=a:b":                              "a:b",
		"x =":                                "",
		"x = # no comment":                   "# no comment",
		`x = "quoted # text"`:                "quoted # text",
		"x = 'single'":                       "single",
		`x = "odd'`:                          `"odd'`,
		`x = "`:                              "",
		`x = ""`:                             "",
		`x = "a" b`:                          `"a" b`,
		`x = ""twice""`:                      `"twice"`,
		"x = a\r\n":                          "a",
		"x = a\n  b\n\tc":                    "a\nb\nc",
		"x = a\n  # b\n":                     "a\n# b",
		"x = 'a'\n  'b'":                     "a\n'b'",
		"x = a\n\n":                          "a",
		"x = 1\nx = 2":                       "2",
		"x = 1\n[other]\nx = 2\n[S]\nx = 3":  "3",
		"x = 1\n[other]\nx = 2\n[s]\ny = 3":  "1",
		"x = 1\n# comment\n; comment\nX = 2": "1",
	} {
		require.Equal(t, want, get(t, read(t, "[s]\n"+text), "s", "x"), "%q", text)
	}
}

// A byte order mark, as editors on Windows write it, is not part of the first line.
func TestByteOrderMark(t *testing.T) {
	for _, text := range []string{"\ufeff[s]\r\nx = 1\r\n", "\ufeff\n[s]\nx = 1", "\ufeff# comment\n[s]\nx = 1"} {
		require.Equal(t, "1", get(t, read(t, text), "s", "x"), "%q", text)
	}
	paths := write(t, "[s]\n\ufeffsesame")
	_, err := Read(paths...)
	require.EqualError(t, err, paths[0]+":2: neither a [section] nor name = value")
}

func TestReferences(t *testing.T) {
	const file = `
[DEFAULT]
my_ip = 192.0.2.7
port: 3306
address = $my_ip:$port
[Database]
user = nova
`
	for text, want := range map[string]string{
		"mysql://$user@$my_ip/x":         "mysql://nova@192.0.2.7/x",
		"${user}s at ${address}":         "novas at 192.0.2.7:3306",
		"${database.user}":               "nova",
		"pa$$word":                       "pa$word",
		`pa\$word`:                       "pa$word",
		"$ $1 ${ ${} ${1} a$":            "$ $1 ${ ${} ${1} a$",
		"$$$$my_ip":                      "$$my_ip",
		strings.Repeat("$my_ip", 90)[:6]: "192.0.2.7",
	} {
		require.Equal(t, want, get(t, read(t, file+"connection = "+text), "DATABASE", "connection"), text)
	}
	for _, secret := range []string{"pa$sesame", "pa${sesame}", "$user.sesame", "${default.my_ip}", "$USER$sesame"} {
		_, ok, err := read(t, file+"connection = "+secret).Get("database", "connection")
		require.False(t, ok)
		require.ErrorContains(t, err, "0.conf:8: [database] connection: refers to an option that is not set in these files as $name")
		require.NotContains(t, err.Error(), "sesame")
	}
}

func TestReferencesAreBounded(t *testing.T) {
	circle := read(t, "[s]\nx = $y\ny = $x\nz = $z")
	double, long := "[s]\nx0 =\n", "[s]\nx0 = "+strings.Repeat("-", 10_000)+"\n"
	for i := range 50 {
		next := fmt.Sprintf("x%d = $x%d$x%d\n", i+1, i, i)
		double, long = double+next, long+next
	}
	for name, c := range map[string]*Config{"x": circle, "z": circle, "x50": read(t, double), "x4": read(t, long)} {
		_, _, err := c.Get("s", name)
		require.ErrorContains(t, err, "["+"s] "+name+": its references to other options are circular, or make it too long")
		_, err = c.All("s", name)
		require.ErrorContains(t, err, "circular")
	}
}

func TestRepeatedValues(t *testing.T) {
	c := read(t, "[s]\nx = 1\nx = $y\ny = 2", "[S]\nx = 3\n[DEFAULT]\nx = 4")
	all, err := c.All("s", "x")
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, all)
	require.Equal(t, "3", get(t, c, "s", "x"), "what is read later counts more")
	require.Equal(t, "4", get(t, c, "DEFAULT", "x"))
	_, ok, err := c.Get("default", "x")
	require.NoError(t, err)
	require.False(t, ok, "default is a section like others")
	all, err = c.All("s", "none")
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"nova.conf": "[a]\nx = file\ny = file", "d/20.conf": "[a]\nx = 20", "d/10.conf": "[a]\nx = 10\nz = 10",
		"d/.99.conf": "no", "d/99.conf~": "no", "d/README": "no",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	c, err := Read(filepath.Join(dir, "nova.conf"), filepath.Join(dir, "d"))
	require.NoError(t, err)
	require.Equal(t, "20 file 10", get(t, c, "a", "x")+" "+get(t, c, "a", "y")+" "+get(t, c, "a", "z"))
	c, err = Read(filepath.Join(dir, "d"), filepath.Join(dir, "nova.conf"))
	require.NoError(t, err)
	require.Equal(t, "file", get(t, c, "a", "x"))

	_, err = Read(filepath.Join(dir, "none.conf"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d", "folder.conf"), 0o700))
	_, err = Read(filepath.Join(dir, "d"))
	require.ErrorContains(t, err, "is a directory")
	_, err = Read(write(t, strings.Repeat("# nothing\n", 200_000))...)
	require.ErrorContains(t, err, "0.conf is larger than 1048576 bytes")
	_, err = Read(make([]string, 2000)...)
	require.Error(t, err)
	_, err = Read(strings.Split(strings.Repeat(write(t, "")[0]+"\n", 1001), "\n")[:1001]...)
	require.ErrorContains(t, err, "there are more than 1000 files")
}

// Errors have the file and line, and not the text, which may be a secret.
func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"[s]\nsesame":            ":2: neither a [section] nor name = value",
		"[s]\n= sesame":          ":2: a value without a name",
		"\n\nx = sesame":         ":3: a value before the first [section]",
		"[s\nx = sesame":         ":1: a section's name must end with ], without text after it",
		"[s] # sesame":           ":1: a section's name must end with ], without text after it",
		"[]":                     ":1: a section has no name",
		"[s]\n sesame":           ":2: an indented line that continues no value",
		"[s]\nx=1\n\n sesame":    ":4: an indented line that continues no value",
		"[s]\nx=1\n#\n\tsesame":  ":4: an indented line that continues no value",
		"[s]\r\nx=1\r\rsesame\r": ":4: neither a [section] nor name = value",
	} {
		paths := write(t, text)
		_, err := Read(paths...)
		require.EqualError(t, err, paths[0]+want, "%q", text)
	}
}

func TestErrorf(t *testing.T) {
	paths := write(t, "[s]\nx = 1\n\nx = sixty")
	c, err := Read(paths...)
	require.NoError(t, err)
	require.EqualError(t, c.Errorf("S", "x", "must be %s", "a number"), paths[0]+":4: [S] x: must be a number")
	require.EqualError(t, c.Errorf("s", "y", "is missing"), "[s] y: is missing")
}

// testdata/measured.json has random files and the values that oslo.config 9.0.0 read from them.
func TestAgreesWithOsloConfig(t *testing.T) {
	text, err := os.ReadFile("testdata/measured.json")
	require.NoError(t, err)
	var cases []struct {
		Files  []string
		Values map[string]*string
	}
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Len(t, cases, 200)
	set := 0
	for _, test := range cases {
		c := read(t, test.Files...)
		for option, want := range test.Values {
			section, name, _ := strings.Cut(option, ".")
			got, ok, err := c.Get(section, name)
			switch {
			case want == nil:
				require.NoError(t, err)
				require.False(t, ok, "%s in %q", option, test.Files)
			case strings.HasPrefix(*want, "!"): // oslo.config failed, mostly after too many references.
				require.Error(t, err, "%s in %q", option, test.Files)
			case err != nil:
				// oslo.config knows which options exist without being set: they are empty.
				require.ErrorIs(t, err, errUnset, "%s in %q", option, test.Files)
			default:
				require.Equal(t, *want, got, "%s in %q", option, test.Files)
				set++
			}
		}
	}
	require.Greater(t, set, 200)
}

// For every file there is no panic, and either an error with the file's name or values of bounded size.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "[DEFAULT]\nx = $y\ny = '$$'\n", "[s]\nx=${s.x}", "[a]\nx:\"b\n c\"\r\n[A]\nx", "[[]]\n$=$\n", "\\$", "[s]\n\x1f=\xff\u0085",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &Config{values: map[option][]value{}}
		if err := c.parse("f.conf", text); err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "f.conf:"), "%v", err)
			return
		}
		for o, values := range c.values {
			require.NotEmpty(t, o.section)
			require.NotEmpty(t, o.name)
			require.Equal(t, o.section, normal(o.section))
			_, err := c.All(o.section, o.name)
			last, ok, lastErr := c.Get(o.section, o.name)
			require.Equal(t, lastErr == nil, ok)
			if lastErr != nil {
				require.Error(t, err)
				require.True(t, strings.HasPrefix(lastErr.Error(), "f.conf:"))
				continue
			}
			require.LessOrEqual(t, len(last), 2*maxValue+len(text))
			require.NotEmpty(t, values)
		}
	})
}

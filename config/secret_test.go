package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// variable is set for the whole of TestSecrets.
const variable = "SERVICEGROUP_TEST_SECRET"

// withPassword returns a file with a source whose password is set by some lines.
func withPassword(lines ...string) []byte {
	return []byte("sources:\n- name: nova\n  driver: db\n  db:\n    dsn: mysql://u@h/nova\n    " + strings.Join(lines, "\n    ") + "\n")
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"plain":   "se#cret",
		"line":    "se#cret\n",
		"windows": "se#cret\r\n",
		"two":     "se#cret\n\n",
		"blanks":  " se#cret ",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	t.Setenv(variable, "from: the environment\n")
	for name, tt := range map[string]struct {
		line string
		want string
	}{
		"inline":        {"password: 'se#cret'", "se#cret"},
		"number":        {"password: 0x10", "0x10"},
		"null text":     {"password: 'null'", "null"},
		"block":         {"password: |-\n      two\n      lines", "two\nlines"},
		"relative file": {"password_file: plain", "se#cret"},
		"absolute file": {"password_file: " + filepath.Join(dir, "plain"), "se#cret"},
		"newline":       {"password_file: line", "se#cret"},
		"windows":       {"password_file: windows", "se#cret"},
		"only one":      {"password_file: two", "se#cret\n"},
		"blanks":        {"password_file: blanks", " se#cret "},
		"environment":   {"password_env: " + variable, "from: the environment\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := sources.Parse(filepath.Join(dir, "f.yml"), withPassword(tt.line))
			require.NoError(t, err)
			require.Equal(t, tt.want, revealed(t, c.Sources[0].DB.Password))
		})
	}
}

func TestBadSecrets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f.yml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), []byte("\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "huge"), make([]byte, 64<<10+1), 0o600))
	t.Setenv(variable, "")
	for name, tt := range map[string]struct {
		lines []string
		want  string
	}{
		"no file":     {[]string{"password_file: absent"}, "6: sources[0].db.password_file: open DIR/absent: no such file or directory"},
		"folder":      {[]string{"password_file: ."}, "6: sources[0].db.password_file: read DIR: is a directory"},
		"empty file":  {[]string{"password_file: empty"}, "6: sources[0].db.password_file: DIR/empty is empty"},
		"huge file":   {[]string{"password_file: huge"}, "6: sources[0].db.password_file: DIR/huge is larger than 65536 bytes"},
		"null":        {[]string{"password_file:"}, "6: sources[0].db.password_file: has no value"},
		"list":        {[]string{"password_env: [a]"}, "6: sources[0].db.password_env: must be a single value, not a list"},
		"no variable": {[]string{"password_env: SERVICEGROUP_TEST_ABSENT"}, `6: sources[0].db.password_env: environment variable "SERVICEGROUP_TEST_ABSENT" is not set; did you mean "SERVICEGROUP_TEST_SECRET"?`},
		"empty":       {[]string{"password_env: " + variable}, `6: sources[0].db.password_env: environment variable "` + variable + `" is empty`},
		"two": {
			[]string{"password: hunter2", "password_file: absent"},
			`7: sources[0].db.password_file: "password" on line 6 sets the same secret; keep one of them`,
		},
		"two, other order": {
			[]string{"password_env: HOME", "password: hunter2"},
			`7: sources[0].db.password: "password_env" on line 6 sets the same secret; keep one of them`,
		},
		"no such secret": {[]string{"schema_file: nova"}, `6: sources[0].db: unknown key "schema_file"; ` +
			"known are cells, custom, dsn, dsn_env, dsn_file, nova_conf, password, password_env, password_file, report_interval, schema, service_down_time, timeout, verdict; did you mean \"schema\"?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sources.Parse(file, withPassword(tt.lines...))
			require.EqualError(t, err, file+":"+strings.ReplaceAll(tt.want, "DIR", dir))
		})
	}
}

// A driver's error about a secret names the key that set it.
func TestBadContentOfASecret(t *testing.T) {
	t.Setenv(variable, "oracle://u:hunter2@h/nova")
	_, err := sources.Parse("f.yml", []byte("sources:\n- name: a\n  driver: db\n  db:\n    dsn_env: "+variable+"\n"))
	require.ErrorContains(t, err, "f.yml:5: sources[0].db.dsn_env: its scheme is not one of")
	require.NotContains(t, err.Error(), "hunter2")
}

// Errors don't show a secret in a wrong place, either.
func TestErrorsShowNoSecret(t *testing.T) {
	for name, lines := range map[string]string{
		"mapping":       "password: {hunter2: x}",
		"list":          "password: [hunter2]",
		"alias":         "password: *hunter2",
		"anchor":        "password: &hunter2",
		"tag":           "password: !hunter2",
		"tag handle":    "password: !hunter2!x y",
		"indicator":     "password: @hunter2",
		"percent":       "password: %hunter2",
		"open quote":    "password: 'hunter2",
		"open list":     "password: [hunter2",
		"quote inside":  "password: \"hunter2\"x",
		"colon":         "password: x: hunter2",
		"as a key":      "password@hunter2: x",
		"on its own":    "password:hunter2",
		"wrong section": "auth: {password: hunter2}",
		"driver's":      "password: hunter2\n    timeout: 0s",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sources.Parse("f.yml", withPassword(lines))
			require.Error(t, err)
			require.NotContains(t, err.Error(), "hunter2")
			require.True(t, strings.HasPrefix(err.Error(), "f.yml"), err)
		})
	}
}

// revealed returns the text of a secret.
func revealed(t *testing.T, s drivers.Secret) string {
	t.Helper()
	text, err := s.Read()
	require.NoError(t, err)
	return text
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is in the file: no panic, and either a configuration that can be used or errors that name the file.
func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/good.yml")
	require.NoError(f, err)
	for _, seed := range []string{
		string(good), goodDB, headZK, "", "---\n", "sources: &s\n- *s\n", "sources: *x", "a: &a [*a]", "<<: {<<: 1}", "? {a: b}\n: c",
		edit("dsn", "dsn_file"), edit("dsn:", "dsn_env: HOME, password:"), "sources: [{}, {}]", "\xff", "%YAML 1.1\n---\n...\n---",
		edit("dsn", "nova_conf"), edit("dsn:", "nova_conf: [good.conf, ., \"a\\nb\"], cells:"), edit("dsn:", "nova_conf: good.conf, cells: [{name: a, dsn: '{port}'}], x:"),
		"sources: [{name: 1, driver: 2, db: 3, zk: 4, poll_interval: 5, expose: 6}]",
	} {
		f.Add([]byte(seed))
	}
	name := filepath.Join(f.TempDir(), "f.yml")
	require.NoError(f, os.WriteFile(filepath.Join(filepath.Dir(name), "good.conf"), []byte(connection+api), 0o600))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(name, data)
		if err != nil {
			require.Nil(t, c)
			for line := range strings.Lines(err.Error()) {
				require.True(t, strings.HasPrefix(line, name+":"), "%q", line)
			}
			return
		}
		require.NotEmpty(t, c.Sources)
		for i := range c.Sources {
			s := &c.Sources[i]
			require.True(t, goodName(s.Name))
			require.NotNil(t, s.sections()[s.Driver])
		}
		again, err := Parse(name, data)
		require.NoError(t, err)
		require.Equal(t, c.Sources[0].Fingerprint(), again.Sources[0].Fingerprint())
		_, err = c.Effective()
		require.NoError(t, err)
	})
}

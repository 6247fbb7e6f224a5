package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The module has a package for each result. go test itself makes the events.
func TestRun(t *testing.T) {
	module := map[string]string{
		"go.mod":           "module example\n\ngo 1.26\n",
		"passes/a_test.go": "package passes\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Log(\"not printed\") }\n",
		"none/a.go":        "package none\n",
	}
	write := func(name, text string) string {
		dir := t.TempDir()
		module[name] = text
		for name, text := range module {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
		delete(module, name)
		return dir
	}

	t.Run("all pass", func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, run(write("more/a_test.go", "package more\n"), []string{"./..."}, &out))
		require.Regexp(t, `(?m)^  ok +[0-9.]+ s  example/passes$`, out.String())
		require.Contains(t, out.String(), "packages passed in ")
		require.NotContains(t, out.String(), "not printed")
		require.NotContains(t, out.String(), "none")
	})
	t.Run("a test fails", func(t *testing.T) {
		var out bytes.Buffer
		err := run(write("fails/a_test.go", `package fails

import "testing"

func TestGood(t *testing.T) { t.Log("not printed") }

func TestBad(t *testing.T) {
	t.Run("good", func(t *testing.T) { t.Log("not printed") })
	t.Run("bad", func(t *testing.T) { t.Error("the reason") })
}
`), []string{"./..."}, &out)
		require.EqualError(t, err, "example/fails TestBad/bad TestBad")
		require.Contains(t, out.String(), "the reason")
		require.NotContains(t, out.String(), "not printed")
		require.NotContains(t, out.String(), "=== ")
		require.Regexp(t, `(?m)^  FAIL +[0-9.]+ s  example/fails$`, out.String())
	})
	t.Run("a package does not compile", func(t *testing.T) {
		var out bytes.Buffer
		err := run(write("wrong/a_test.go", "package wrong\n\nvar _ = undefined\n"), []string{"./..."}, &out)
		require.EqualError(t, err, "example/wrong")
		require.Contains(t, out.String(), "undefined: undefined")
	})
	t.Run("a test ends the process", func(t *testing.T) {
		var out bytes.Buffer
		err := run(write("exits/a_test.go", `package exits

import (
	"os"
	"testing"
)

func TestExit(*testing.T) { os.Exit(3) }
`), []string{"./..."}, &out)
		require.ErrorContains(t, err, "example/exits")
	})
	t.Run("no package has tests", func(t *testing.T) {
		require.EqualError(t, run(write("a.go", "package example\n"), []string{"./none"}, new(bytes.Buffer)), "no package has tests")
	})
	t.Run("go test can't run", func(t *testing.T) {
		require.Error(t, run(t.TempDir(), []string{"./..."}, new(bytes.Buffer)))
	})
}

func TestProgress(t *testing.T) {
	began := time.Unix(1000, 0)
	var out bytes.Buffer
	r := newReport(&out, began)
	r.message("go: downloading example.com/a v1.0.0")
	require.Empty(t, out.String())
	require.Equal(t, "  20 s: compiling the tests; 1 modules downloaded", r.progress(began.Add(20*time.Second)))

	r.add(event{Action: "start", Package: "servicegroup_exporter/web"}, began.Add(20*time.Second))
	r.add(event{Action: "start", Package: "servicegroup_exporter/cli"}, began.Add(25*time.Second))
	require.Equal(t, "  30 s: running cli (5 s), web (10 s)", r.progress(began.Add(30*time.Second)))

	r.add(event{Action: "output", Package: "servicegroup_exporter/cli", Output: "ok  \tservicegroup_exporter/cli\t(cached)\n"}, began)
	r.add(event{Action: "pass", Package: "servicegroup_exporter/cli"}, began)
	require.Equal(t, "  ok     (cached)  cli\n", out.String())
	r.readEvents(strings.NewReader(`{"Action":"output","Package":"servicegroup_exporter/web","Test":"TestWeb","Output":"it hangs\n"}` + "\n"))
	require.EqualError(t, r.end(errors.New("exit status 1")), "web (did not end)")
	require.Contains(t, out.String(), "it hangs")
}

// Package docs_test keeps the documentation true: the steps of pages are taken, and links lead somewhere.
package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExtend follows the page about new backends in a copy of the repository.
func TestExtend(t *testing.T) {
	f := &follower{copyOfModule(t), strings.NewReplacer()}
	did := f.follow(t, "extend.md")
	for _, kind := range []string{"run", "diff", "go", "sql", "yaml"} {
		require.NotZero(t, did[kind], kind)
	}
	unformatted, err := exec.CommandContext(t.Context(), "gofmt", "-l", f.dir).CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(unformatted))
}

// copyOfModule copies what the program and its drivers' tests are made of.
func copyOfModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	rooms, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	names := []string{"internal"}
	for _, file := range rooms {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		require.NoError(t, os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", name))))
	}
	return dir
}

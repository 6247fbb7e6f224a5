// Package docs_test keeps the documentation true: the steps of pages are taken, and links lead somewhere.
package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A step is something that a page tells its reader to do: write a file, change one, or run a command.
type step struct {
	line    int
	kind    string // the language of its block, or "run"
	file    string
	text    string
	printed string // what the command is said to print
}

var (
	named   = regexp.MustCompile("`([^`]+)`:$")
	fence   = regexp.MustCompile("^```([a-z]*)$")
	command = regexp.MustCompile(`^    \$ (.*)$`)
)

// steps reads a page: a block in fences is the file, or a change of the file, whose name ends the paragraph above it, and
// an indented line that begins with $ is a command, with what it prints below it.
func steps(t *testing.T, page string) (all []step) {
	t.Helper()
	lines := strings.Split(page, "\n")
	file := ""
	for i := 0; i < len(lines); i++ {
		if match := fence.FindStringSubmatch(lines[i]); match != nil {
			end := i + 1 + slices.Index(lines[i+1:], "```")
			require.Greater(t, end, i, "line %d: the block has no end", i+1)
			require.NotEmpty(t, file, "line %d: no file is named above", i+1)
			all = append(all, step{line: i + 1, kind: match[1], file: file, text: strings.Join(lines[i+1:end], "\n") + "\n"})
			i, file = end, ""
			continue
		}
		if match := named.FindStringSubmatch(lines[i]); match != nil {
			file = match[1]
		}
		if match := command.FindStringSubmatch(lines[i]); match != nil {
			s := step{line: i + 1, kind: "run", text: match[1]}
			for ; i+1 < len(lines) && strings.HasPrefix(lines[i+1], "    ") && !command.MatchString(lines[i+1]); i++ {
				s.printed += strings.TrimPrefix(lines[i+1], "    ") + "\n"
			}
			all = append(all, s)
		}
	}
	return all
}

// The page about new backends is followed in a copy of the repository.
func TestExtend(t *testing.T) {
	page, err := os.ReadFile("extend.md")
	require.NoError(t, err)
	dir := copyOfModule(t)
	did := map[string]int{}
	for _, s := range steps(t, string(page)) {
		did[s.kind]++
		switch s.kind {
		case "run":
			s.run(t, dir)
		case "diff":
			s.change(t, filepath.Join(dir, s.file))
		default:
			path := filepath.Join(dir, s.file)
			require.NoFileExists(t, path, "line %d", s.line)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(s.text), 0o644))
		}
	}
	require.Equal(t, map[string]int{"run": 11, "diff": 6, "go": 6, "sql": 1, "yaml": 1}, did)
	unformatted, err := exec.CommandContext(t.Context(), "gofmt", "-l", dir).CombinedOutput()
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

// change finds the lines of each hunk that are there already, exactly once, and puts the new ones in their place.
func (s *step) change(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err, "line %d", s.line)
	for hunk := range strings.SplitSeq(s.text, "@@\n") {
		var before, after strings.Builder
		for line := range strings.Lines(hunk) {
			switch line[0] {
			case ' ':
				before.WriteString(line[1:])
				after.WriteString(line[1:])
			case '-':
				before.WriteString(line[1:])
			case '+':
				after.WriteString(line[1:])
			default:
				t.Fatalf("line %d: a change has the line %q", s.line, line)
			}
		}
		require.Equal(t, 1, strings.Count(string(text), before.String()), "line %d: %s should have once\n%s", s.line, s.file, before.String())
		text = []byte(strings.Replace(string(text), before.String(), after.String(), 1))
	}
	require.NoError(t, os.WriteFile(path, text, 0o644))
}

// varies matches what is another each time.
var varies = regexp.MustCompile(`\d+\.\d+s|\(cached\)|\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// run runs a command and compares what it prints. It is built as releases are, so that what they need is built already.
func (s *step) run(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", s.text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath -mod=readonly", "GOPROXY=off", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "line %d: %s\n%s", s.line, s.text, out)
	require.Equal(t, varies.ReplaceAllString(s.printed, "?"), varies.ReplaceAllString(string(out), "?"), "line %d: %s", s.line, s.text)
}

package docs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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

// steps reads a page: a block in fences is the file, or a change of the file, whose name ends the paragraph above it; without a
// name it is an example. An indented line that begins with $ is a command, with what it prints below it.
func steps(t *testing.T, page string) (all []step) {
	t.Helper()
	lines := strings.Split(page, "\n")
	file := ""
	for i := 0; i < len(lines); i++ {
		if match := fence.FindStringSubmatch(lines[i]); match != nil {
			end := i + 1 + slices.Index(lines[i+1:], "```")
			require.Greater(t, end, i, "line %d: the block has no end", i+1)
			if file != "" {
				all = append(all, step{line: i + 1, kind: match[1], file: file, text: strings.Join(lines[i+1:end], "\n") + "\n"})
			}
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

// A follower takes the steps of a page in a folder.
type follower struct {
	dir     string
	replace *strings.Replacer // what is otherwise in the test than on the page, as ports are
}

// follow takes the steps of a page, and gives how many there were of each kind.
func (f *follower) follow(t *testing.T, file string) map[string]int {
	t.Helper()
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	return f.take(t, string(page))
}

// take takes the steps of a part of a page.
func (f *follower) take(t *testing.T, page string) map[string]int {
	t.Helper()
	did := map[string]int{}
	for _, s := range steps(t, page) {
		did[s.kind]++
		s.text, s.printed = f.replace.Replace(s.text), f.replace.Replace(s.printed)
		switch s.kind {
		case "run":
			s.run(t, f.dir)
		case "diff":
			s.change(t, filepath.Join(f.dir, s.file))
		default:
			path := filepath.Join(f.dir, s.file)
			require.NoFileExists(t, path, "line %d", s.line)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(s.text), 0o644))
		}
	}
	return did
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

// patience bounds one command on a busy machine.
const patience = 5 * time.Minute

// varies matches what is another each time.
var varies = regexp.MustCompile(`\d+\.\d+s|\(cached\)|\d{4}-\d\d-\d\d, in \d+ days|\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// buildEnv is for building as releases are built, so that what they need is built already.
func buildEnv() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath -mod=readonly", "GOPROXY=off", "TZ=UTC")
}

// run runs a command and compares what it prints. What it leaves running ends with the test.
func (s *step) run(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", s.text)
	cmd.Dir = dir
	cmd.Env = buildEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.CombinedOutput()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // Most have ended by themselves.
	require.NoError(t, err, "line %d: %s\n%s", s.line, s.text, out)
	require.Equal(t, withoutVariation(s.printed), withoutVariation(string(out)), "line %d: %s", s.line, s.text)
}

// withoutVariation returns what was printed without what is another each time. A page can't show empty lines at the end.
func withoutVariation(printed string) string {
	return strings.TrimRight(varies.ReplaceAllString(printed, "?"), "\n")
}

package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	namedBlock = regexp.MustCompile("`([^`\n]+)`:\n\n```[a-z]*\n((?s:.*?))```\n")
	commands   = regexp.MustCompile(`(?m)^    \$ (.*)\n((?:    [^$\n].*\n)*)`)
)

// part returns the part of a page below a heading.
func part(t *testing.T, page, heading string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	_, after, found := strings.Cut("\n"+string(text), "\n"+heading+"\n")
	require.True(t, found, "%s has no heading %q", page, heading)
	level, _, _ := strings.Cut(heading, " ")
	inner, _, _ := strings.Cut(after, "\n"+level+" ")
	return inner + "\n"
}

// A reader does what pages tell it to do.
type reader struct {
	write   func(file, text string)
	run     func(command string) (string, error)
	replace *strings.Replacer // what is otherwise in the test than on the page
}

// readerIn returns a reader that writes files to a folder.
func readerIn(t *testing.T, folder string, run func(command string) (string, error), replace ...string) *reader {
	t.Helper()
	return &reader{run: run, replace: strings.NewReplacer(append(replace, "linux-amd64", "linux-"+runtime.GOARCH)...), write: func(file, text string) {
		file = filepath.Join(folder, file)
		require.NoFileExists(t, file)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}}
}

// follow writes each file of a page, which a block is if its name ends the paragraph above, and runs each command, an indented line that
// begins with $. The lines below a command are in its output, in this order. It returns how many commands there were.
func (r *reader) follow(t *testing.T, page string) (ran int) {
	t.Helper()
	for _, block := range namedBlock.FindAllStringSubmatch(page, -1) {
		r.write(block[1], r.replace.Replace(block[2]))
	}
	for _, command := range commands.FindAllStringSubmatch(page, -1) {
		rest := r.must(t, command[1])
		for line := range strings.Lines(command[2]) {
			line = r.replace.Replace(strings.TrimSpace(line))
			_, after, found := strings.Cut(rest, line)
			require.True(t, found, "%s\nshould print %q, but printed\n%s", command[1], line, rest)
			rest = after
		}
		ran++
	}
	return ran
}

// must runs a command of a page, which must succeed, and returns its output.
func (r *reader) must(t *testing.T, command string) string {
	t.Helper()
	out, err := r.run(r.replace.Replace(command))
	require.NoError(t, err, "%s\n%s", command, out)
	return out
}

// install returns what the README says to run for an installation: the command that builds it, and the one that comes then.
func install(t *testing.T, what string) (build, then string) {
	t.Helper()
	for _, row := range regexp.MustCompile("(?m)^\\| ([^|`]+) \\| `([^`]+)` \\| `([^`]+)` \\|$").FindAllStringSubmatch(part(t, "../README.md", "## Install"), -1) {
		if row[1] == what {
			return row[2], row[3]
		}
	}
	t.Fatalf("the README does not say how to install: %s", what)
	return "", ""
}

// checkout copies the files under version control to a new folder, with the tools that make would build otherwise.
func checkout(t *testing.T, folder, umask string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o755))
	shell(t, "..", "umask "+umask+"; git ls-files -z | xargs -0 cp --parents --target-directory="+folder)
	shell(t, "..", "mkdir "+folder+"/bin && cp bin/nfpm bin/cyclonedx-gomod "+folder+"/bin")
	return folder
}

// commit makes a checkout a repository with one commit, on these tags.
func commit(t *testing.T, folder string, tags ...string) string {
	t.Helper()
	const git = "git -c user.name=Test -c user.email=test@example.com "
	shell(t, folder, "git init --quiet && git add . && "+git+"commit --quiet --message=all")
	for _, tag := range tags {
		shell(t, folder, git+"tag --message="+tag+" "+tag)
	}
	return folder
}

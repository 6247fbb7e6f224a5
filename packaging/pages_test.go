package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	namedBlock = regexp.MustCompile("`([^`\n]+)`:\n\n```[a-z]*\n((?s:.*?))```\n")
	commands   = regexp.MustCompile(`(?m)^    \$ (.*(?:\\\n.*)*)\n((?:    [^$\n].*\n)*)`)
)

// follow does what a page tells its reader to do: it writes each file, which a block is if its name ends the paragraph above, to the
// folder, and runs each command, an indented line that begins with $. The lines below a command are in its output, in this order.
// replace has what is otherwise in the test than on the page.
func follow(t *testing.T, page, folder string, replace *strings.Replacer, run func(command string) (string, error)) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, block := range namedBlock.FindAllStringSubmatch(string(text), -1) {
		file := filepath.Join(folder, block[1])
		require.NoFileExists(t, file)
		require.NoError(t, os.WriteFile(file, []byte(replace.Replace(block[2])), 0o600))
	}
	for _, command := range commands.FindAllStringSubmatch(string(text), -1) {
		out, err := run(replace.Replace(command[1]))
		require.NoError(t, err, "%s\n%s", command[1], out)
		rest := out
		for line := range strings.Lines(command[2]) {
			line = replace.Replace(strings.TrimSpace(line))
			_, after, found := strings.Cut(rest, line)
			require.True(t, found, "%s\nshould print %q, but printed\n%s", command[1], line, out)
			rest = after
		}
	}
}

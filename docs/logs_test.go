package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A logCall is a place where the program logs.
type logCall struct {
	message, level, position string
}

// TestDocumentedLogs compares the log messages in the code with docs/reference/logs.md. For each message that the page lacks
// it prints a row to complete.
func TestDocumentedLogs(t *testing.T) {
	text, err := os.ReadFile("reference/logs.md")
	require.NoError(t, err)
	listed := map[string]string{} // level by message
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`|]+)` \\| (\\w+) \\| ([^|]+) \\| ([^|]+) \\|$").FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, listed, row[1], "listed twice")
		listed[row[1]] = row[2]
	}
	logged := map[string]bool{}
	var missing []string
	for _, call := range logCalls(t) {
		level, isListed := listed[call.message]
		if !isListed && !logged[call.message] {
			missing = append(missing, fmt.Sprintf("| `%s` | %s | … | … |  (%s)", call.message, call.level, call.position))
		}
		if isListed && call.level != "log" { // The level of a call of Log is a variable.
			require.Equal(t, call.level, level, "%s: %s", call.position, call.message)
		}
		logged[call.message] = true
	}
	if len(missing) > 0 {
		t.Errorf("docs/reference/logs.md lacks these rows:\n%s", strings.Join(missing, "\n"))
	}
	gone := slices.DeleteFunc(slices.Sorted(maps.Keys(listed)), func(message string) bool { return logged[message] })
	require.Empty(t, gone, "docs/reference/logs.md lists messages that the program does not log")
}

// logCalls returns all places where code that ships logs, in the order of their files.
func logCalls(t *testing.T) (calls []logCall) {
	t.Helper()
	apart := map[string]bool{
		"e2e": true, "dashboards": true, "packaging": true, "tools": true, "docs": true, "testdata": true, "testserver": true, "drivertest": true,
	}
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden(entry.Name()) || apart[entry.Name()]):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if level, message := logMessage(call); message != nil {
					literal, ok := message.(*ast.BasicLit)
					require.True(t, ok, "%s: the message is not a constant", set.Position(call.Pos()))
					said, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					calls = append(calls, logCall{said, level, strings.TrimPrefix(set.Position(call.Pos()).String(), "../")})
				}
			}
			return true
		})
		return nil
	}))
	require.NotEmpty(t, calls)
	return calls
}

// logMessage returns the level and the message of a call of a [log/slog.Logger], and no message for other calls. A logger is
// known by its name, which is log, logger or Logger.
func logMessage(call *ast.CallExpr) (level string, message ast.Expr) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", nil
	}
	var receiver string
	switch x := method.X.(type) {
	case *ast.Ident:
		receiver = x.Name
	case *ast.SelectorExpr:
		receiver = x.Sel.Name
	}
	if !slices.Contains([]string{"log", "logger"}, strings.ToLower(receiver)) {
		return "", nil
	}
	level, hasContext := strings.CutSuffix(method.Sel.Name, "Context")
	at := 0
	switch level {
	case "Debug", "Info", "Warn", "Error":
		if hasContext {
			at = 1
		}
	case "Log", "LogAttrs":
		level, at = "Log", 2
	default:
		return "", nil
	}
	if len(call.Args) <= at {
		return "", nil
	}
	return strings.ToLower(level), call.Args[at]
}

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The walks of architecture.md name types that exist, and no more of them than a reader should have to meet.
func TestWalks(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	declared := declarations(t)
	for heading, most := range map[string]int{
		"From a row to bytes":          6,
		"From a death to Alertmanager": 5,
	} {
		_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
		require.True(t, found, heading)
		section, _, _ = strings.Cut(section, "\n## ")

		steps := regexp.MustCompile("(?m)^[0-9]+\\. `([a-z]+\\.[A-Za-z]+)`").FindAllStringSubmatch(section, -1)
		require.NotEmpty(t, steps, heading)
		require.LessOrEqual(t, len(steps), most, heading)
		for _, step := range steps {
			require.Equal(t, "type", declared[step[1]], "%s: %s", heading, step[1])
		}
		// The other types and methods that the section mentions exist too.
		for _, name := range regexp.MustCompile("`([a-z]+\\.[A-Za-z]+(?:\\.[A-Za-z]+)?)`").FindAllStringSubmatch(section, -1) {
			require.Contains(t, declared, name[1], heading)
		}
	}
}

// declarations returns the types ("type") and functions ("func") of the module's packages by name, as "tracker.Member" and
// "tracker.Tracker.Observe".
func declarations(t *testing.T) map[string]string {
	t.Helper()
	declared := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden(entry.Name()) || entry.Name() == "testdata" || entry.Name() == "e2e" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			declare(declared, file.Name.Name+".", d)
		}
		return nil
	})
	require.NoError(t, err)
	return declared
}

func declare(declared map[string]string, pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			receiver := d.Recv.List[0].Type
			if pointer, ok := receiver.(*ast.StarExpr); ok {
				receiver = pointer.X
			}
			if named, ok := receiver.(*ast.Ident); ok {
				name = named.Name + "." + name
			}
		}
		declared[pkg+name] = "func"
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if named, ok := spec.(*ast.TypeSpec); ok {
				declared[pkg+named.Name.Name] = "type"
			}
		}
	}
}

package docs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The files that a package comment names are in the package.
func TestPackageCommentsNameFiles(t *testing.T) {
	names := regexp.MustCompile(`(?:[a-z]+/)*[a-z_*]+\.go\b`)
	named := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden(entry.Name()) || entry.Name() == "testdata" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		for _, name := range names.FindAllString(file.Doc.Text(), -1) {
			found, err := filepath.Glob(filepath.Join(filepath.Dir(path), name))
			require.NoError(t, err, "%s: %s", path, name)
			require.NotEmpty(t, found, "%s names %s", path, name)
			named++
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, named, 50)
}

// hidden reports whether a folder is none of the module's, as .git. A test that reads such a folder is not cached: they change without the module.
func hidden(name string) bool { return strings.HasPrefix(name, ".") && name != ".." }

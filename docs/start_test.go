package docs_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The page for beginners is followed with real servers, on other ports than the usual ones.
func TestStart(t *testing.T) {
	dir := t.TempDir()
	repository, err := filepath.Abs("..")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(filepath.Join(repository, "drivers"), filepath.Join(dir, "drivers")))
	require.NoError(t, os.Symlink(testserver.ExporterPath(t), filepath.Join(dir, "servicegroup_exporter")))

	database := testserver.MariaDB(t)
	host, port, err := net.SplitHostPort(database.Addr())
	require.NoError(t, err)
	others := []string{
		"sudo mariadb", fmt.Sprintf("mariadb --no-defaults --protocol=tcp -h %s -P %s -u root", host, port),
		"127.0.0.1:3306", database.Addr(),
	}
	for _, usual := range []string{"9090", "9093", "10199", "5001"} {
		others = append(others, "127.0.0.1:"+usual, fmt.Sprintf("127.0.0.1:%d", testserver.Port(t)))
	}
	f := &follower{filepath.Join(dir, "try"), strings.NewReplacer(others...)}
	require.NoError(t, os.Mkdir(f.dir, 0o755))
	require.Equal(t, map[string]int{"run": 20, "sql": 1, "yaml": 4, "python": 1}, f.follow(t, "start.md"))
}

package alerts

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The files in tests are promtool's: `promtool test rules alerts/tests/*.yml`.

func TestRules(t *testing.T) {
	runPromtool(t, ".", "check", "rules", "servicegroup.rules.yml")
	runPromtool(t, ".", "test", append([]string{"rules"}, ruleTests(t)...)...)
}

// ruleTests gives the files of tests of the shipped rules.
func ruleTests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("tests/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func runPromtool(t *testing.T, dir, command string, args ...string) {
	t.Helper()
	cmd := exec.Command(testserver.Promtool(t), append([]string{command}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

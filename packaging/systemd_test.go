package packaging

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documentation states the units' exposure levels as systemd calculates them, so that a change of a unit's restrictions must be
// documented.
func TestExposure(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	for _, name := range []string{unit, joinUnit} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager",
			"systemd/"+name).CombinedOutput()
		require.NoError(t, err, "is the Debian package systemd installed? %s", out)
		level := regexp.MustCompile(`exposure level for \S+: ([0-9.]+) OK`).FindSubmatch(out)
		require.NotNil(t, level, string(out))
		require.Contains(t, string(page), "exposure level "+string(level[1]))
	}
}

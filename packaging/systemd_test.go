package packaging

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documentation states the unit's exposure level as systemd calculates it, so that a change of the unit's restrictions
// must be documented.
func TestExposure(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager",
		"systemd/"+unit).CombinedOutput()
	require.NoError(t, err, "is the Debian package systemd installed? %s", out)
	level := regexp.MustCompile(`exposure level for \S+: ([0-9.]+) OK`).FindSubmatch(out)
	require.NotNil(t, level, string(out))
	page, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	require.Contains(t, string(page), "exposure level "+string(level[1]))
}

package packaging

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// The workflow runs the same checks as developers, with the Go version of the module.
func TestWorkflow(t *testing.T) {
	text, err := os.ReadFile("../.github/workflows/ci.yml")
	require.NoError(t, err)
	var workflow struct {
		Jobs map[string]struct {
			Container struct{ Image string }
			Steps     []struct{ Run string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &workflow))
	job := workflow.Jobs["all"]
	require.True(t, slices.ContainsFunc(job.Steps, func(step struct{ Run string }) bool { return step.Run == ".ci/run" }))

	version, found := strings.CutPrefix(job.Container.Image, "golang:")
	require.True(t, found)
	version, _, _ = strings.Cut(version, "-")
	text, err = os.ReadFile("../go.mod")
	require.NoError(t, err)
	require.Contains(t, string(text), "\ngo "+version+".", "the module has another Go version")
}

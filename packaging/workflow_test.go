package packaging

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// The workflow runs what developers run, with the Go that the module asks for.
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
	require.Equal(t, ".ci/run", job.Steps[len(job.Steps)-1].Run)

	version, found := strings.CutPrefix(job.Container.Image, "golang:")
	require.True(t, found)
	version, _, _ = strings.Cut(version, "-")
	text, err = os.ReadFile("../go.mod")
	require.NoError(t, err)
	require.Contains(t, string(text), "\ngo "+version+".", "another Go than the module's")
}

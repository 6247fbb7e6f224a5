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

// A tag is released after all checks, with a signature and with attestations of everything that is published.
func TestReleaseWorkflow(t *testing.T) {
	text, err := os.ReadFile("../.github/workflows/ci.yml")
	require.NoError(t, err)
	type step struct {
		Uses, Run string
		With      map[string]any
	}
	var workflow struct {
		Permissions map[string]string
		Jobs        map[string]struct {
			If          string
			Needs       []string
			Permissions map[string]string
			Env         map[string]string
			Steps       []step
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &workflow))
	require.Equal(t, map[string]string{"contents": "read"}, workflow.Permissions, "other jobs can't publish")
	job := workflow.Jobs["release"]
	require.Equal(t, "startsWith(github.ref, 'refs/tags/v')", job.If)
	require.Contains(t, job.Needs, "all")
	require.Equal(t, "write", job.Permissions["id-token"])
	require.Equal(t, "write", job.Permissions["attestations"])
	require.Contains(t, job.Env["HOMEPAGE"], "github.repository")
	index := func(fits func(step) bool) int {
		i := slices.IndexFunc(job.Steps, fits)
		require.GreaterOrEqual(t, i, 0)
		return i
	}
	built := index(func(s step) bool { return strings.Contains(s.Run, " make release SIGNING_KEY=") })
	require.Contains(t, job.Steps[built].Run, ` CHART_IMAGE="ghcr.io/${GITHUB_REPOSITORY,,}"`, "the chart's image is the one that is pushed")
	attested := index(func(s step) bool {
		return strings.HasPrefix(s.Uses, "actions/attest-build-provenance@") && s.With["subject-checksums"] == "dist/sha256sums.txt"
	})
	published := index(func(s step) bool { return strings.HasPrefix(s.Run, "gh release create ") })
	require.IsIncreasing(t, []int{built, attested, published})
	pushed := index(func(s step) bool { return strings.HasSuffix(s.Run, " tools/push-image") })
	attested = index(func(s step) bool { return s.With["subject-digest"] != nil })
	require.IsIncreasing(t, []int{pushed, attested})
}

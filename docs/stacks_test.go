package docs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The commands of the page about monitoring stacks print what they say. The stacks themselves are tested in e2e/sites and
// e2e/evaluators.
func TestStacks(t *testing.T) {
	s := newSite(t)
	require.NoError(t, os.Symlink(s.configure(t, s.source()), filepath.Join(s.dir, "servicegroups.yml")))
	s.follow(t, "stacks.md", 3)
	manifest, err := os.ReadFile(filepath.Join(s.dir, "prometheusrule.yml"))
	require.NoError(t, err)
	require.Contains(t, string(manifest), "kind: PrometheusRule")
}

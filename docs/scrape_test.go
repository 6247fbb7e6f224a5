package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	// scrapeJob matches the beginning of each scrape job of the exporter, in YAML's block or flow style, and its settings: up to an
	// empty line, the end of a code block, or the next job.
	scrapeJob = regexp.MustCompile("(?s)job_name: *servicegroup_exporter\\b[,\n].*?(?:\n *\n|```|`|job_name:|$)")
	// serviceMonitor matches a manifest for the Prometheus operator.
	serviceMonitor = regexp.MustCompile(`(?ms)^kind: ServiceMonitor$.*?(?:^---|\z)`)
	// honored matches the setting, which a test may vary.
	honored = regexp.MustCompile(`honor_labels: (?:true|%t)|honorLabels: (?:true|\{\{ .honorLabels \}\})`)
)

// Every scrape job that the repository shows, ships or tests lets the exporter's labels win over labels of a target. Otherwise
// Prometheus renames labels such as group.
func TestScrapeJobsHonorLabels(t *testing.T) {
	jobs, monitors := map[string]bool{}, map[string]bool{}
	for _, path := range texts(t) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, job := range scrapeJob.FindAllString(string(text), -1) {
			jobs[path] = true
			require.Regexp(t, honored, job, path)
		}
		for _, monitor := range serviceMonitor.FindAllString(string(text), -1) {
			monitors[path] = true
			require.Regexp(t, honored, monitor, path)
		}
	}
	for _, path := range []string{"../README.md", "../docs/start.md", "../docs/stacks.md", "../packaging/ansible/playbooks/kolla.yml"} {
		require.Contains(t, jobs, path)
	}
	require.Len(t, monitors, 2)
}

// texts returns the paths of all files that may have a scrape job.
func texts(t *testing.T) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if hidden(entry.Name()) || slices.Contains([]string{"node_modules", "bin", "dist"}, entry.Name()) {
				return filepath.SkipDir
			}
		case slices.Contains([]string{".md", ".yml", ".yaml", ".go", ".txtar"}, filepath.Ext(path)) && entry.Name() != "scrape_test.go":
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

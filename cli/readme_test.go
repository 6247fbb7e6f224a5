package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(text)
}

// The README names every metric that the collector's golden output shows, and none that it does not.
func TestReadmeNamesTheMetrics(t *testing.T) {
	golden, err := filepath.Glob("../collector/testdata/*.prom")
	require.NoError(t, err)
	require.NotEmpty(t, golden)
	shown := []string{ // by the command line itself
		"servicegroup_config_last_reload_successful", "servicegroup_config_last_reload_success_timestamp_seconds",
	}
	for _, path := range golden {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(string(text), -1) {
			shown = append(shown, match[1])
		}
	}
	_, table, found := strings.Cut(readme(t), "\n## Metrics\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\nHistograms are")
	var named []string
	for _, match := range regexp.MustCompile("`(service_up|servicegroup_[a-z_]+)`").FindAllStringSubmatch(table, -1) {
		named = append(named, match[1])
	}
	slices.Sort(shown)
	slices.Sort(named)
	require.Equal(t, slices.Compact(shown), named)
}

// The README's table of commands is complete.
func TestReadmeNamesTheCommands(t *testing.T) {
	commands, _ := (&app{}).parser()
	for command := range commands {
		require.Regexp(t, "(?m)^\\| [^|]*`"+command+"[ `]", readme(t))
	}
}

// The README's configuration is accepted as it stands, but for the paths of files.
func TestReadmeConfiguration(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	t.Setenv("ZK_PASSWORD", "secret")
	blocks := regexp.MustCompile("(?s)```yaml\n(sources:.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.Len(t, blocks, 3)
	for _, block := range blocks {
		text := regexp.MustCompile(`password_file: \S+`).ReplaceAllString(block[1], "password_file: "+password)
		_, err := config.Parse("README.md", []byte(text))
		require.NoError(t, err)
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(text)
}

// All metrics that the documentation names exist.
func TestDocumentedMetrics(t *testing.T) {
	known := map[string]bool{}
	for _, m := range declaredMetrics(t) {
		known[m.name] = true
	}
	for _, other := range []string{"servicegroup_exporter", "servicegroup_driver", "servicegroup_canary"} {
		// The program, a setting of Nova's, and a table for canaries.
		known[other] = true
	}
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	runbooks, err := filepath.Glob("../alerts/runbooks/*.md")
	require.NoError(t, err)
	for _, page := range slices.Concat(pages, runbooks, []string{"../README.md"}) {
		if page == "../docs/ansible.md" {
			continue // It has the variables of the roles.
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile("`(service_up|servicegroup_[a-z_]+)[`{]").FindAllStringSubmatch(string(text), -1) {
			name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(match[1], "_bucket"), "_count"), "_sum")
			require.True(t, known[name], "%s names %s", page, match[1])
		}
	}
}

// The README shows the page first, then compares, and then says how to install, try and scrape it.
func TestReadmesFirstScreens(t *testing.T) {
	text := readme(t)
	for _, part := range []string{
		"![The status page", "\n## Compared with other exporters\n", "| openstack-exporter |", "| sql_exporter |", "\n## Install\n", "make packages",
		"\n## Quick start\n", "servicegroup_exporter demo", "\n## Prometheus\n", "job_name: servicegroup_exporter", "what-is-not-supported",
	} {
		_, rest, found := strings.Cut(text, part)
		require.True(t, found, "the README lacks %q after what comes before it", part)
		text = rest
	}
	first, _, _ := strings.Cut(readme(t), "\n## ")
	require.Contains(t, first, "docs/images/page-light.png", "the first screen has a picture")
}

// The README's table of commands is complete.
func TestReadmeNamesTheCommands(t *testing.T) {
	commands, _ := (&cli{}).parser()
	for command := range commands {
		require.Regexp(t, "(?m)^\\| [^|]*`"+command+"[ `]", readme(t))
	}
}

// Every configuration in the documentation is accepted without a change except the paths of files.
func TestDocumentedConfigurations(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"password":  "secret\n",
		"own.conf":  "[database]\nconnection = mysql+pymysql://exporter@db1/nova_cell0\n",
		"nova.conf": "[database]\nconnection = mysql+pymysql://exporter@db1/nova_cell0\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	authority := testserver.NewAuthority(t)
	certificate := authority.Issue("exporter")
	for name, file := range map[string]string{
		"ca.pem": authority.File, "exporter.pem": certificate.CertFile, "exporter.key": certificate.KeyFile,
	} {
		require.NoError(t, os.Symlink(file, filepath.Join(dir, name)))
	}
	t.Setenv("ZK_PASSWORD", "secret")
	t.Setenv("NOVA_PASSWORD", "secret")
	inDir := regexp.MustCompile(`(/etc/(nova|servicegroup_exporter)/)`)
	count := 0
	files, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	for _, file := range append(files, "../README.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if file == "../docs/extend.md" {
			continue // It has a driver that is not there until a reader adds it.
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n((?:[^`]*?\n)?sources:.*?)```").FindAllSubmatch(text, -1) {
			_, err := sources.Parse(filepath.Join(dir, "config.yml"), inDir.ReplaceAll(block[1], []byte(dir+"/")))
			require.NoError(t, err, "%s:\n%s", file, block[1])
			count++
		}
	}
	require.NotZero(t, count)
}

// TestNamedTests checks that the tests that CONTRIBUTING names for each backend exist.
func TestNamedTests(t *testing.T) {
	text, err := os.ReadFile("../CONTRIBUTING.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "\n## Where each backend is tested\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile(`(?m)^\|.*\| ([^|]*) \|$`).FindAllStringSubmatch(table, -1)[2:]
	require.NotEmpty(t, rows)
	var tests strings.Builder
	for _, pattern := range []string{"../drivers/*/*_test.go", "../config/*_test.go", "../sources/*_test.go", "../collector/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			tests.Write(text)
		}
	}
	for _, row := range rows {
		names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1)
		require.NotEmpty(t, names, row[0])
		for _, name := range names {
			if script, found := strings.CutSuffix(name[1], ".txtar"); found {
				require.FileExists(t, "testdata/script/"+script+".txtar")
				continue
			}
			test, sub, _ := strings.Cut(name[1], "/")
			require.Contains(t, tests.String(), "\nfunc "+test+"(", row[0])
			require.Contains(t, tests.String(), sub, row[0])
		}
	}
}

// Every field of the printed JSON is in its table.
func TestDocumentedFields(t *testing.T) {
	text, err := os.ReadFile("../docs/terminal.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "\n`list --format json`")
	require.True(t, found)
	list, watch, found := strings.Cut(list, "\n`watch --format json`")
	require.True(t, found)

	for column := range reflect.TypeFor[listRow]().Fields() {
		if field, _, _ := strings.Cut(column.Tag.Get("json"), ","); field != "" {
			require.Contains(t, list, "`"+field+"`")
		}
	}
	var line bytes.Buffer
	require.NoError(t, printEventJSON(&line, &collector.Event{
		Member:     drivers.Member{Group: "g", Name: "n", Binary: "b", Zone: "z"},
		HasLatency: true, Err: errors.New("why"),
	}))
	fields := map[string]any{}
	require.NoError(t, json.Unmarshal(line.Bytes(), &fields))
	require.Len(t, fields, 9)
	for field := range fields {
		require.Contains(t, watch, "`"+field+"`")
	}
}

// The examples of layouts are those that the zk driver's tests run.
func TestDocumentedLayouts(t *testing.T) {
	text, err := os.ReadFile("../docs/zk.md")
	require.NoError(t, err)
	containsFiles(t, string(text), "../drivers/zk/testdata/*.yml")
}

// The tables for private members are those that the drill's tests make.
func TestDocumentedTables(t *testing.T) {
	text, err := os.ReadFile("../docs/drill.md")
	require.NoError(t, err)
	containsFiles(t, string(text), "../drivers/db/servicegroup_canary.*.sql")
}

func containsFiles(t *testing.T, text, pattern string) {
	t.Helper()
	examples, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, path := range examples {
		example, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, text, string(example))
	}
}

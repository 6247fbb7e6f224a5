package collector

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

func testFiles(t *testing.T, folder string) stateFiles {
	t.Helper()
	f, err := newStateFiles(folder, false, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return f
}

// savedOf is what a tracker with two members saves.
func savedOf(source string) *tracker.Saved {
	t := tracker.New(tracker.Options{Source: source, Settings: tracker.Settings{ForgetAfter: hour}})
	t.Observe(&drivers.Poll{Members: rows("a:up b:down")}, tracker.Instant{Wall: t0}, tracker.Instant{Wall: t0})
	return t.Save()
}

func TestAStateFileHasWhatWasSaved(t *testing.T) {
	files := testFiles(t, t.TempDir())
	require.NoError(t, files.save(savedOf("s")))
	require.Equal(t, savedOf("s"), files.load("s", t0, hour))
}

func TestWithoutAStateFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not", "there")
	require.Nil(t, testFiles(t, folder).load("s", t0, hour))
	require.DirExists(t, folder)
	require.Nil(t, stateFiles{}.load("s", t0, hour))
	require.False(t, stateFiles{}.writable())
}

func TestStateFilesThatCanNotBeUsedArePutAside(t *testing.T) {
	good, err := json.Marshal(savedOf("s"))
	require.NoError(t, err)
	for name, content := range map[string]string{
		"empty":             "",
		"cut":               string(good[:100]),
		"no json":           "\x00\xff",
		"of another source": strings.Replace(string(good), `"source":"s"`, `"source":"t"`, 1),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			files := testFiles(t, t.TempDir())
			file := files.name("s")
			require.NoError(t, os.WriteFile(file, []byte(content), 0o644))

			reader := files
			reader.readOnly = true
			require.Nil(t, reader.load("s", t0, hour))
			require.FileExists(t, file, "a read-only collector renames no file")

			require.Nil(t, files.load("s", t0, hour))
			require.NoFileExists(t, file)
			aside, err := os.ReadFile(file + ".damaged")
			require.NoError(t, err)
			require.Equal(t, content, string(aside))
		})
	}
}

func TestAnOldStateFileIsNotUsed(t *testing.T) {
	files := testFiles(t, t.TempDir())
	require.NoError(t, files.save(savedOf("s")))
	require.NotNil(t, files.load("s", t0.Add(hour), hour))
	require.Nil(t, files.load("s", t0.Add(hour+sec), hour))
	require.FileExists(t, files.name("s"))
}

func TestStateFilesOfAnySource(t *testing.T) {
	folder := t.TempDir()
	files := testFiles(t, folder)
	names := []string{"nova", "a/b", "../../x", "..", ".", "a b", "ü%2F", "C:\\x"}
	for _, name := range names {
		require.NoError(t, files.save(savedOf(name)))
	}
	for _, name := range names {
		require.Equal(t, name, files.load(name, t0, hour).Source)
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, len(names), "one file each, all in the folder, nothing left over")
}

func TestAStateThatCanNotBeSavedLeavesTheOldFile(t *testing.T) {
	folder := t.TempDir()
	files := testFiles(t, folder)
	require.NoError(t, os.Mkdir(files.name("s"), 0o755), "a folder is in the way")
	require.Error(t, files.save(savedOf("s")))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func load(f stateFiles, source string, now time.Time, maxAge time.Duration) *tracker.Saved {
	saved, _ := f.load(source, now, maxAge)
	return saved
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
	require.Equal(t, savedOf("s"), load(files, "s", t0, hour))
}

func TestWithoutAStateFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not", "there")
	require.Nil(t, load(testFiles(t, folder), "s", t0, hour))
	require.DirExists(t, folder)
	require.Nil(t, load(stateFiles{}, "s", t0, hour))
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
			require.Nil(t, load(reader, "s", t0, hour))
			require.FileExists(t, file, "a read-only collector renames no file")

			require.Nil(t, load(files, "s", t0, hour))
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
	require.NotNil(t, load(files, "s", t0.Add(hour), hour))
	require.Nil(t, load(files, "s", t0.Add(hour+sec), hour))
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
		require.Equal(t, name, load(files, name, t0, hour).Source)
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

// The file of a later version is kept before this version replaces it, but not by a collector that only reads.
func TestStateFileOfALaterVersion(t *testing.T) {
	var log bytes.Buffer
	files := testFiles(t, t.TempDir())
	files.log = slog.New(slog.NewTextHandler(&log, nil))
	text, err := json.Marshal(savedOf("s"))
	require.NoError(t, err)
	for _, test := range []struct {
		text    string
		members int
		lost    bool
	}{
		{strings.Replace(string(text), `"version":1`, `"version":2,"new":1`, 1), 2, false},
		{strings.NewReplacer(`"version":1`, `"version":3`, `"state":"down"`, `"state":"asleep"`).Replace(string(text)), 1, true},
	} {
		log.Reset()
		require.NoError(t, os.WriteFile(files.name("s"), []byte(test.text), 0o600))
		reader := files
		reader.readOnly = true
		require.Len(t, load(reader, "s", t0, hour).Members, test.members)
		entries, err := os.ReadDir(files.folder)
		require.NoError(t, err)

		saved, lost := files.load("s", t0, hour)
		require.Len(t, saved.Members, test.members)
		require.Equal(t, test.lost, lost)
		require.Contains(t, log.String(), fmt.Sprintf("version=%d supported_version=1 not_understood=%d", saved.Version, 2-test.members))
		after, err := os.ReadDir(files.folder)
		require.NoError(t, err)
		require.Len(t, after, len(entries)+1)
		kept, err := os.ReadFile(fmt.Sprintf("%s.v%d", files.name("s"), saved.Version))
		require.NoError(t, err)
		require.Equal(t, test.text, string(kept))
	}
}

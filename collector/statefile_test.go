package collector

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func testStore(t *testing.T, folder string) store {
	t.Helper()
	s, err := newStore(folder, false, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return s
}

// testMemory is what a tracker with two members writes down.
func testMemory(source string) *memory {
	tr := newTracker(source, hour)
	tr.apply(newReading(&drivers.Poll{Members: rows("a:up b:down")}, instant{wall: t0}, instant{wall: t0}))
	return tr.memory()
}

func TestMemoryIsTheSameAfterARoundTrip(t *testing.T) {
	tr := newTracker("s", hour)
	all := "a:up:beat=0s:rostered:enabled:unforced:session=4s:binary=nova-compute:zone=z:uuid=u:version=61:reason=r"
	tr.poll(0, all+" b:up c:up d:up:beat=-1s")
	tr.poll(10*sec, all+" c:up d:up:beat=-1s")
	tr.fail()
	tr.poll(300*sec, all+" c:down:forced d:down:beat=-1s")
	first := tr.memory()
	require.Len(t, first.Gaps, 1)
	require.Len(t, first.Members, 4)

	now := instant{wall: t0.Add(hour), mono: 5 * sec}
	next := newTracker("s", hour)
	store := testStore(t, t.TempDir())
	require.NoError(t, store.save(first))
	next.remember(store.load("s", now.wall, hour), now)
	require.Equal(t, first, next.memory())
	require.Equal(t, tr.members(true), next.members(true))
}

func TestNoMemory(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not", "there")
	require.Nil(t, testStore(t, folder).load("s", t0, hour))
	require.DirExists(t, folder)
	require.Nil(t, store{}.load("s", t0, hour))
	require.False(t, store{}.writes())
}

func TestMemoriesThatCanNotBeUsedArePutAside(t *testing.T) {
	good := func(change func(*memory)) string {
		m := testMemory("s")
		change(m)
		folder := t.TempDir()
		require.NoError(t, testStore(t, folder).save(m))
		data, err := os.ReadFile(testStore(t, folder).file(m.Source))
		require.NoError(t, err)
		return string(data)
	}
	for name, content := range map[string]string{
		"empty":              "",
		"cut":                good(func(*memory) {})[:100],
		"another format":     "[]",
		"no json":            "\x00\xff",
		"from the future":    good(func(m *memory) { m.Version = memoryVersion + 1 }),
		"without a version":  good(func(m *memory) { m.Version = 0 }),
		"of another source":  strings.Replace(good(func(*memory) {}), `"source":"s"`, `"source":"t"`, 1),
		"without times":      `{"version":1,"source":"s","members":[]}`,
		"a member twice":     good(func(m *memory) { m.Members = append(m.Members, m.Members[0]) }),
		"a member no name":   good(func(m *memory) { m.Members[0].Name = "" }),
		"a member no time":   good(func(m *memory) { m.Members[1].Since = m.Members[1].LastUp }),
		"a member no state":  good(func(m *memory) { m.Members[0].State = "dead" }),
		"a member blind":     good(func(m *memory) { m.Members[0].Blind = entryUnknown }),
		"a member fenced":    good(func(m *memory) { m.Members[1].Fenced = true }),
		"a member bad group": good(func(m *memory) { m.Members[1].Group = "" }),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			store := testStore(t, t.TempDir())
			file := store.file("s")
			require.NoError(t, os.WriteFile(file, []byte(content), 0o644))

			reader := store
			reader.readOnly = true
			require.Nil(t, reader.load("s", t0, hour))
			require.FileExists(t, file, "who only reads touches nothing")

			require.Nil(t, store.load("s", t0, hour))
			require.NoFileExists(t, file)
			aside, err := os.ReadFile(file + ".damaged")
			require.NoError(t, err)
			require.Equal(t, content, string(aside))
		})
	}
}

func TestAnOldMemoryIsHistory(t *testing.T) {
	store := testStore(t, t.TempDir())
	require.NoError(t, store.save(testMemory("s")))
	require.NotNil(t, store.load("s", t0.Add(hour), hour))
	require.Nil(t, store.load("s", t0.Add(hour+sec), hour))
	require.FileExists(t, store.file("s"))
}

func TestMemoryFilesOfAnySource(t *testing.T) {
	folder := t.TempDir()
	store := testStore(t, folder)
	names := []string{"nova", "a/b", "../../x", "..", ".", "a b", "ü%2F", "C:\\x"}
	for _, name := range names {
		require.NoError(t, store.save(testMemory(name)))
	}
	for _, name := range names {
		require.Equal(t, name, store.load(name, t0, hour).Source)
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, len(names), "one file each, all in the folder, nothing left over")
}

func TestAMemoryThatCanNotBeSavedLeavesTheOldOne(t *testing.T) {
	folder := t.TempDir()
	store := testStore(t, folder)
	require.NoError(t, os.Mkdir(store.file("s"), 0o755), "a folder is in the way")
	require.Error(t, store.save(testMemory("s")))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

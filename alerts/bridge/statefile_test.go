package bridge

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
)

func TestStateFile(t *testing.T) {
	f := newStateFile(t.TempDir(), slog.New(slog.DiscardHandler))
	require.Empty(t, f.load())
	saved := savedState{
		Version: 1,
		Firing: []savedAlert{
			{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "a", Start: began},
			{Alert: alerts.MassFailure, Source: "s", Start: began},
			{Alert: alerts.SourceProblem, Source: "s", Problem: "absent", Start: began},
		},
		Ended: []savedAlert{{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "b"}},
	}
	require.NoError(t, f.write(saved))
	require.Equal(t, saved, f.load())
	require.NoError(t, f.write(savedState{}))
	require.Equal(t, savedState{Version: 1}, f.load())
}

func TestDamagedStateFileIsRenamed(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":     `{"version":1,"firing":[`,
		"no version":   `{"firing":[]}`,
		"no list":      `{"version":2,"alerts":[]}`,
		"not an alert": `{"version":1,"firing":[{"alert":"Watchdog","source":"s","start":"2026-11-25T03:00:00Z"}]}`,
		"no source":    `{"version":1,"firing":[{"alert":"ServiceGroupOutage","start":"2026-11-25T03:00:00Z"}]}`,
		"no start":     `{"version":1,"firing":[{"alert":"ServiceGroupOutage","source":"s"}]}`,
		"no end":       `{"version":1,"firing":[],"ended":[{"alert":"Watchdog","source":"s"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			f := newStateFile(folder, slog.New(slog.DiscardHandler))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "alerts.json"), []byte(text), 0o600))
			require.Empty(t, f.load())
			require.True(t, f.lost)
			require.FileExists(t, filepath.Join(folder, "alerts.json.damaged"))
			require.NoError(t, f.write(savedState{}))
			require.Equal(t, savedState{Version: 1}, f.load())
		})
	}
}

// Of the file of a later version what is understood is used. The file is kept before it is replaced.
func TestStateFileOfALaterVersion(t *testing.T) {
	const known = `{"alert":"ServiceGroupMemberDown","source":"s","group":"g","member":"a","start":"2026-11-25T03:00:00Z","color":"red"}`
	for name, test := range map[string]struct {
		text   string
		firing int
		lost   bool
	}{
		"all of it is understood": {`{"version":2,"firing":[` + known + `],"ended":[],"muted":[1]}`, 1, false},
		"an unknown alert":        {`{"version":3,"firing":[` + known + `,{"alert":"ServiceGroupRackDown","source":"s"}]}`, 1, true},
		"another type":            {`{"version":3,"firing":[` + known + `,{"alert":["a"]}],"ended":[{"source":"s"}]}`, 1, true},
		"none":                    {`{"version":2,"firing":null}`, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "alerts.json")
			require.NoError(t, os.WriteFile(file, []byte(test.text), 0o600))
			var log bytes.Buffer
			f := newStateFile(filepath.Dir(file), slog.New(slog.NewTextHandler(&log, nil)))
			saved := f.load()
			require.Len(t, saved.Firing, test.firing)
			require.Equal(t, test.lost, f.lost)
			require.Contains(t, log.String(), "Alert state file is of a later version")
			require.NoError(t, f.write(saved))
			copies, err := filepath.Glob(file + ".v*")
			require.NoError(t, err)
			require.Len(t, copies, 1)
			kept, err := os.ReadFile(copies[0])
			require.NoError(t, err)
			require.Equal(t, test.text, string(kept))
			log.Reset()
			require.Len(t, f.load().Firing, test.firing)
			require.Empty(t, log.String(), "what was saved is of this version")
		})
	}
}

func TestNoFolder(t *testing.T) {
	f := newStateFile("", nil)
	require.NoError(t, f.write(savedState{Firing: []savedAlert{{Alert: alerts.Outage}}}))
	require.Empty(t, f.load())
}

// A failing disk does not delay posts and is logged once. When it works again, the state is saved.
func TestDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, f := filepath.Join(t.TempDir(), "data"), &receiver{}
		r := newTestBridge(t, folder)
		r.transport = f
		r.fake.set(snapshot("s", "a:up b:up c:up"))
		r.configure(nil, am)
		defer r.run()()
		synctest.Wait()
		for _, members := range []string{"a:down b:up c:up", "a:up b:up c:up", "a:up b:down c:up"} {
			r.fake.set(snapshot("s", members))
			time.Sleep(time.Minute)
		}
		require.Contains(t, about(f.received()), "MemberDown s/g/a")
		require.Equal(t, 1, strings.Count(r.log.String(), "\n"))
		require.Contains(t, r.log.String(), `level=WARN msg="Saving alert state failed`)
		require.NoError(t, os.Mkdir(folder, 0o700))
		time.Sleep(saveRetry)
		require.Equal(t, 2, strings.Count(r.log.String(), "\n"))
		require.Contains(t, r.log.String(), `level=INFO msg="Saving alert state succeeded again"`)
		saved := r.file.load()
		require.Len(t, saved.Firing, 1)
		require.Equal(t, "b", saved.Firing[0].Member)
	})
}

// Saving does not wait for the disk, and the newest state is written.
func TestNewestStateIsWritten(t *testing.T) {
	f := newStateFile(t.TempDir(), nil)
	f.save(savedState{})
	f.save(savedState{Firing: []savedAlert{{Alert: alerts.Outage, Source: "old", Start: began}}})
	newest := savedState{Version: 1, Firing: []savedAlert{{Alert: alerts.Outage, Source: "s", Start: began}}}
	f.save(newest)
	f.close()
	f.run()
	require.Equal(t, newest, f.load())
}

// FuzzStateFile loads files of any content: each is refused, or its alerts can be posted and saved again.
func FuzzStateFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"firing":[{"alert":"ServiceGroupMemberDown","source":"s","group":"g","member":"m","start":"2026-11-25T03:00:00Z"}]}`))
	f.Add([]byte(`{"version":1,"firing":[{"alert":"ServiceGroupOutage","source":"{{","start":"9999-12-31T23:59:59+23:59"},` +
		`{"alert":"ServiceGroupOutage","source":"{{","member":"\ud800","start":"0000-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		saved, err := parseStateFile(data)
		if err != nil {
			require.Zero(t, saved)
			return
		}
		s := newState(saved)
		s.update(nil, undecided(nil, never), began)
		for _, alert := range s.firing(newBuilder(nil)) {
			_, err := json.Marshal(alert)
			require.NoError(t, err)
		}
		_, err = json.Marshal(s.saved())
		require.NoError(t, err)
	})
}

package bridge

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
)

func TestStore(t *testing.T) {
	s := newStore(t.TempDir(), slog.New(slog.DiscardHandler))
	require.Empty(t, s.load())
	firing := []rememberedAlert{
		{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "a", Start: began},
		{Alert: alerts.MassFailure, Source: "s", Start: began},
	}
	require.NoError(t, s.save(firing))
	require.Equal(t, firing, s.load())
	require.NoError(t, s.save([]rememberedAlert{}))
	require.Empty(t, s.load())
}

func TestADamagedStoreIsPutAside(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":      `{"version":1,"firing":[`,
		"other version": `{"version":2,"firing":[]}`,
		"not an alert":  `{"version":1,"firing":[{"alert":"Watchdog","source":"s","start":"2026-11-25T03:00:00Z"}]}`,
		"no source":     `{"version":1,"firing":[{"alert":"ServiceGroupOutage","start":"2026-11-25T03:00:00Z"}]}`,
		"no start":      `{"version":1,"firing":[{"alert":"ServiceGroupOutage","source":"s"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			s := newStore(folder, slog.New(slog.DiscardHandler))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "alerts.json"), []byte(text), 0o600))
			require.Empty(t, s.load())
			require.FileExists(t, filepath.Join(folder, "alerts.json.damaged"))
			require.NoError(t, s.save(nil))
			require.Empty(t, s.load())
		})
	}
}

func TestAStoreWithoutAFolder(t *testing.T) {
	s := newStore("", nil)
	require.NoError(t, s.save([]rememberedAlert{{Alert: alerts.Outage}}))
	require.Empty(t, s.load())
}

// Whatever is in the file: it is refused, or can be posted, repeated and written again.
func FuzzStore(f *testing.F) {
	f.Add([]byte(`{"version":1,"firing":[{"alert":"ServiceGroupMemberDown","source":"s","group":"g","member":"m","start":"2026-11-25T03:00:00Z"}]}`))
	f.Add([]byte(`{"version":1,"firing":[{"alert":"ServiceGroupOutage","source":"{{","start":"9999-12-31T23:59:59+23:59"},` +
		`{"alert":"ServiceGroupOutage","source":"{{","member":"\ud800","start":"0000-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMemory(data)
		if err != nil {
			require.Nil(t, m)
			return
		}
		l := newLedger(m.Firing)
		l.update(newSurvey(nil, builder(nil), never), began)
		for _, alert := range l.firing(builder(nil)) {
			_, err := json.Marshal(alert)
			require.NoError(t, err)
		}
		_, err = json.Marshal(memory{storeVersion, l.remember()})
		require.NoError(t, err)
	})
}

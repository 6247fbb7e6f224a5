package zk

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func example() record {
	return record{
		ID: "A1", JoinedAt: time.Date(2026, 11, 23, 15, 0, 0, 123456789, time.UTC), Binary: "nova-compute",
		SessionTimeout: drivers.Duration(4 * time.Second), Process: process{Host: "h1", PID: 4711, Start: 99, Boot: "b"},
	}
}

func TestRecord(t *testing.T) {
	alive := example()
	data, err := alive.encode()
	require.NoError(t, err)
	require.JSONEq(t, `{"id": "A1", "joined_at": "2026-11-23T15:00:00.123456789Z", "session_timeout": "4s",
		"process": {"host": "h1", "pid": 4711, "start": 99, "boot": "b"}, "binary": "nova-compute"}`, string(data))
	back, err := decodeRecord(data)
	require.NoError(t, err)
	require.Equal(t, alive, back)

	dead := alive
	dead.DiedAt = alive.JoinedAt.Add(time.Minute)
	data, err = dead.encode()
	require.NoError(t, err)
	back, err = decodeRecord(data)
	require.NoError(t, err)
	require.Equal(t, dead, back)

	// Later versions may write more fields.
	back, err = decodeRecord([]byte(`{"id": "A1", "colour": "green"}`))
	require.NoError(t, err)
	require.Equal(t, record{ID: "A1"}, back)

	// Anyone may write to the znodes. No record may excuse its member for longer than a session can last.
	back, err = decodeRecord([]byte(`{"id": "A1", "session_timeout": "87600h"}`))
	require.NoError(t, err)
	require.Equal(t, record{ID: "A1", SessionTimeout: drivers.Duration(maxSessionTimeout)}, back)
}

func TestDamagedRecord(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "Nova's": "0.7364712", "truncated": `{"id": "A1"`, "list": `[]`, "null": `null`, "no id": `{}`,
		"bad time": `{"id": "A1", "joined_at": "yesterday"}`, "bad duration": `{"id": "A1", "session_timeout": "-4s"}`,
		"no unit": `{"id": "A1", "session_timeout": "4"}`, "big": `{"id": "` + strings.Repeat("x", maxRecord) + `"}`,
		"binary": "\xff\xfe\x00", "deep": strings.Repeat("[", 15000),
	} {
		back, err := decodeRecord([]byte(data))
		require.Error(t, err, name)
		require.Zero(t, back, name)
	}
}

// For any data, decoding does not panic, and a record that was decoded is the same after it was encoded and decoded again.
func FuzzRecord(f *testing.F) {
	r := example()
	data, err := r.encode()
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte("0.7364712"))
	f.Add([]byte(`{"id":"x","died_at":"2026-11-23T15:00:00+14:00","process":{"pid":-1}}`))
	f.Add([]byte(`{"id":"x","died_at":"2026-11-23T15:00:00+24:00"}`))
	f.Add([]byte(`{"id":"x","joined_at":"0000-01-01T00:00:00+23:59"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := decodeRecord(data)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, first.SessionTimeout, drivers.Duration(0))
		require.LessOrEqual(t, first.SessionTimeout, drivers.Duration(maxSessionTimeout))
		again, err := first.encode()
		require.NoError(t, err)
		second, err := decodeRecord(again)
		require.NoError(t, err)
		require.True(t, first.DiedAt.Equal(second.DiedAt))
		second.DiedAt, second.JoinedAt = first.DiedAt, first.JoinedAt // Equal times may have different names of their zone.
		require.Equal(t, first, second)
	})
}

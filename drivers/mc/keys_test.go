package mc

import (
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestKeys(t *testing.T) {
	long := strings.Repeat("h", maxKey-len("compute:"))
	for _, test := range []struct {
		member       drivers.Key
		sha1, asText string // asText is empty if there can be no plain key
	}{
		{drivers.Key{Group: "compute", Name: "cmp-1.example.com"}, "95c0de23ea40b4b22d7e03886a8d5acfa77c2d38", "compute:cmp-1.example.com"},
		{drivers.Key{Group: "compute", Name: "compute-01"}, "f3d233d4ecf2e8fb59f847333910fb37c4c9c16e", "compute:compute-01"},
		{drivers.Key{Group: "compute", Name: "Füße"}, sha1Hex("compute:Füße"), "compute:Füße"},
		{drivers.Key{Group: "a b", Name: "c"}, sha1Hex("a b:c"), ""},
		{drivers.Key{Group: "a", Name: "b\x7f"}, sha1Hex("a:b\x7f"), ""},
		{drivers.Key{Group: "compute", Name: long}, sha1Hex("compute:" + long), "compute:" + long},
		{drivers.Key{Group: "compute", Name: long + "h"}, sha1Hex("compute:" + long + "h"), ""},
	} {
		key, err := sha1Keys{}.key(test.member)
		require.NoError(t, err)
		require.Equal(t, test.sha1, key)
		key, err = plainKeys{}.key(test.member)
		if test.asText == "" {
			require.ErrorIs(t, err, errKey)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, test.asText, key)
		require.NotEqual(t, test.sha1, leftKey(test.member))
	}
}

// By Nova's rule a heartbeat from the future is fresh, and so is one that is exactly as old as the heartbeat timeout.
func TestIsFresh(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]bool{
		-time.Hour: true, 0: true, 59 * time.Second: true, time.Minute: true, time.Minute + time.Microsecond: false, time.Hour: false,
	} {
		require.Equal(t, want, storedBeat{now.Add(-age)}.isFresh(now, time.Minute), age)
	}
	require.True(t, storedBeat{}.isFresh(now, time.Minute), "a heartbeat without a time counts while it exists")
}

// A plain value that has a time, as release 13 wrote it, counts by that time; any other counts while it exists.
func TestPlainValues(t *testing.T) {
	at := time.Unix(1795362556, 0).UTC()
	for name, test := range map[string]struct {
		item *memcache.Item
		want time.Time
	}{
		"release 12": {plainKeys{}.alive("key", at, time.Minute), time.Time{}},
		"release 13": {sha1Keys{}.alive("key", at, time.Minute), at},
		"text":       {&memcache.Item{Value: []byte("alive")}, time.Time{}},
	} {
		s, err := plainKeys{}.parse(test.item)
		require.NoError(t, err, name)
		require.Equal(t, test.want, s.at, name)
	}
}

func TestExpiry(t *testing.T) {
	for d, want := range map[time.Duration]int32{
		0: 1, time.Millisecond: 1, time.Second: 1, time.Second + 1: 2, time.Minute: 60, 10000 * time.Hour: 30 * 24 * 3600,
	} {
		require.Equal(t, want, expiry(d), d)
	}
}

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
		sha1, asText string // empty: not possible
	}{
		{drivers.Key{Group: "compute", Name: "cmp-1.example.com"}, "95c0de23ea40b4b22d7e03886a8d5acfa77c2d38", "compute:cmp-1.example.com"},
		{drivers.Key{Group: "compute", Name: "compute-01"}, "f3d233d4ecf2e8fb59f847333910fb37c4c9c16e", "compute:compute-01"},
		{drivers.Key{Group: "compute", Name: "Füße"}, sha1Hex("compute:Füße"), "compute:Füße"},
		{drivers.Key{Group: "a b", Name: "c"}, sha1Hex("a b:c"), ""},
		{drivers.Key{Group: "a", Name: "b\x7f"}, sha1Hex("a:b\x7f"), ""},
		{drivers.Key{Group: "compute", Name: long}, sha1Hex("compute:" + long), "compute:" + long},
		{drivers.Key{Group: "compute", Name: long + "h"}, sha1Hex("compute:" + long + "h"), ""},
	} {
		key, err := hashed{}.key(test.member)
		require.NoError(t, err)
		require.Equal(t, test.sha1, key)
		key, err = plain{}.key(test.member)
		if test.asText == "" {
			require.ErrorIs(t, err, errKey)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, test.asText, key)
		require.NotEqual(t, test.sha1, leftKey(test.member))
	}
}

// Nova's rule is one-sided, and true at its limit.
func TestLive(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]bool{
		-time.Hour: true, 0: true, 59 * time.Second: true, time.Minute: true, time.Minute + time.Microsecond: false, time.Hour: false,
	} {
		require.Equal(t, want, sighting{now.Add(-age)}.live(now, time.Minute), age)
	}
	require.True(t, sighting{}.live(now, time.Minute), "a heartbeat without a time is true while it is there")
}

// A plain value that has a time, as release 13 wrote it, is as good as that; any other is true while it is there.
func TestPlainValues(t *testing.T) {
	at := time.Unix(1795362556, 0).UTC()
	for name, test := range map[string]struct {
		item *memcache.Item
		want time.Time
	}{
		"release 12": {plain{}.heartbeat("key", at, time.Minute), time.Time{}},
		"release 13": {hashed{}.heartbeat("key", at, time.Minute), at},
		"text":       {&memcache.Item{Value: []byte("alive")}, time.Time{}},
	} {
		s, err := plain{}.see(test.item)
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

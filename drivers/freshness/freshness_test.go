package freshness

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A pause of all heartbeats is looked at once, again before a death, and later the longer the members are known to pause.
func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(10*time.Second, time.Minute)
		died := func(is bool) func() bool { return func() bool { return is } }
		beat := time.Now()
		suspicious := func(death bool) bool { return c.Suspicious(beat, time.Since(beat), died(death)) }
		require.False(t, suspicious(true), "the first connection is new")
		time.Sleep(15 * time.Second)
		require.False(t, suspicious(true), "members may need one and a half intervals")
		beat = beat.Add(5 * time.Second)
		time.Sleep(6 * time.Second)
		require.True(t, suspicious(false), "all heartbeats have stopped")
		c.Confirm(beat)
		require.False(t, suspicious(true), "that was looked at just now")
		time.Sleep(20 * time.Second)
		require.False(t, suspicious(false))
		require.True(t, suspicious(true), "a member is about to be called dead")
		c.Confirm(beat)

		beat = time.Now()
		time.Sleep(30 * time.Second)
		require.False(t, suspicious(false), "the members pause for as long as before, up to half of the timeout")
		time.Sleep(time.Second)
		require.True(t, suspicious(false))
	})
}

func TestLifetime(t *testing.T) {
	require.Equal(t, 30*time.Second, Lifetime(time.Minute))
	require.Equal(t, MaxLifetime, Lifetime(24*time.Hour))
}

package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A round is one poll of one path, as far as dirs keep the books; reading arms the watch.
func round(d *Directories, path string, succeeds bool) (first time.Time) {
	d.beginPoll(d.fires + 1)
	if _, turn := d.begin(path); turn != 0 {
		d.store(path, turn, nil, nil)
	}
	if !succeeds {
		return time.Time{}
	}
	first = d.FirstChange(path, nil)
	d.succeeded()
	return first
}

func TestFirstChange(t *testing.T) {
	const path = "/g"
	fired := func(d *Directories) time.Time {
		t.Helper()
		d.fire(path)
		return d.paths[path].fired
	}

	t.Run("is reported once", func(t *testing.T) {
		d := newDirectories(func() {})
		require.Zero(t, round(d, path, true))
		require.Zero(t, round(d, path, true))
		at := fired(d)
		require.False(t, at.IsZero())
		require.Equal(t, at, round(d, path, true))
		require.Zero(t, round(d, path, true))
	})
	t.Run("is not claimed for the time before the first poll", func(t *testing.T) {
		d := newDirectories(func() {})
		round(d, path, false)
		fired(d)
		require.Zero(t, round(d, path, true))
	})
	t.Run("outlives a poll that fails after it has read the path", func(t *testing.T) {
		d := newDirectories(func() {})
		round(d, path, true)
		at := fired(d)
		round(d, path, false)
		fired(d)
		round(d, path, false)
		require.Equal(t, at, round(d, path, true), "the first of both")
	})
	t.Run("belongs to the next poll when it comes during one", func(t *testing.T) {
		d := newDirectories(func() {})
		round(d, path, true)
		d.beginPoll(d.fires + 1)
		d.begin(path)
		at := fired(d)
		require.Zero(t, d.FirstChange(path, nil))
		d.succeeded()
		require.Equal(t, at, round(d, path, true))
	})
	t.Run("is not claimed when the path was not read for a while", func(t *testing.T) {
		d := newDirectories(func() {})
		round(d, path, true)
		round(d, "/other", true)
		fired(d)
		require.Zero(t, round(d, path, true))
	})
	t.Run("is the first of those inside", func(t *testing.T) {
		d := newDirectories(func() {})
		read := func() time.Time {
			d.beginPoll(d.fires + 1)
			d.begin(path)
			d.begin("/g/inside")
			first := d.FirstChange(path, []string{"/g/inside"})
			d.succeeded()
			return first
		}
		read()
		d.fire("/g/inside")
		at := d.paths["/g/inside"].fired
		fired(d)
		require.Equal(t, at, read())
	})
}

// What is not read any more is forgotten once its watch has fired, and not before, since a second one must not be set.
func TestDirsForget(t *testing.T) {
	d := newDirectories(func() {})
	round(d, "/g", true)
	round(d, "/other", true)
	require.Contains(t, d.paths, "/g")
	_, turn := d.begin("/g")
	require.Zero(t, turn, "it is watched")
	d.fire("/g")
	round(d, "/other", true)
	round(d, "/other", true)
	require.NotContains(t, d.paths, "/g")
	require.Contains(t, d.paths, "/other")
}

// A watch is believed only with what was read in its own turn.
func TestWhatIsWatched(t *testing.T) {
	const path = "/g/m"
	d := newDirectories(func() {})
	_, first := d.begin(path)
	require.Nil(t, d.watched(path), "nothing was read yet")
	old := d.store(path, first, []string{"old"}, nil)
	require.Same(t, old, d.watched(path))
	d.fire(path)
	require.Nil(t, d.watched(path))
	_, second := d.begin(path)
	require.Nil(t, d.watched(path), "it has not been read again")
	d.store(path, first, []string{"old"}, nil) // an answer that was on its way for long
	require.Nil(t, d.watched(path))
	now := d.store(path, second, []string{"now"}, nil)
	require.Same(t, now, d.watched(path))
}

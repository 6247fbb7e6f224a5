package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// poll makes one poll of one path without a server. It returns what FirstChange tells.
func poll(d *Directories, path string, succeeds bool) (first time.Time) {
	d.beginPoll(d.revision + 1)
	if _, watch := d.begin(path); watch != 0 {
		d.store(path, watch, nil, nil)
	}
	if !succeeds {
		return time.Time{}
	}
	first = d.FirstChange(path, nil)
	d.endPoll()
	return first
}

func TestFirstChange(t *testing.T) {
	const path = "/g"
	fired := func(d *Directories) time.Time {
		t.Helper()
		d.watchFired(path)
		return d.paths[path].fired
	}

	t.Run("is reported once", func(t *testing.T) {
		d := newDirectories(func() {})
		require.Zero(t, poll(d, path, true))
		require.Zero(t, poll(d, path, true))
		at := fired(d)
		require.False(t, at.IsZero())
		require.Equal(t, at, poll(d, path, true))
		require.Zero(t, poll(d, path, true))
	})
	t.Run("is not reported for the time before the first poll", func(t *testing.T) {
		d := newDirectories(func() {})
		poll(d, path, false)
		fired(d)
		require.Zero(t, poll(d, path, true))
	})
	t.Run("is reported after a poll that has read the path and failed", func(t *testing.T) {
		d := newDirectories(func() {})
		poll(d, path, true)
		at := fired(d)
		poll(d, path, false)
		fired(d)
		poll(d, path, false)
		require.Equal(t, at, poll(d, path, true), "the first of the two changes")
	})
	t.Run("is reported by the next poll if it comes during one", func(t *testing.T) {
		d := newDirectories(func() {})
		poll(d, path, true)
		d.beginPoll(d.revision + 1)
		d.begin(path)
		at := fired(d)
		require.Zero(t, d.FirstChange(path, nil))
		d.endPoll()
		require.Equal(t, at, poll(d, path, true))
	})
	t.Run("is not reported if the path was not read for some time", func(t *testing.T) {
		d := newDirectories(func() {})
		poll(d, path, true)
		poll(d, "/other", true)
		fired(d)
		require.Zero(t, poll(d, path, true))
	})
	t.Run("is the first start of the paths inside", func(t *testing.T) {
		d := newDirectories(func() {})
		read := func() time.Time {
			d.beginPoll(d.revision + 1)
			d.begin(path)
			d.begin("/g/inside")
			first := d.FirstChange(path, []string{"/g/inside"})
			d.endPoll()
			return first
		}
		read()
		d.watchFired("/g/inside")
		at := d.paths["/g/inside"].fired
		fired(d)
		require.Equal(t, at, read())
	})
}

// A path that is no longer read is forgotten once its watch has fired. It is not forgotten before, since a second watch must
// not be set.
func TestDirsForget(t *testing.T) {
	d := newDirectories(func() {})
	poll(d, "/g", true)
	poll(d, "/other", true)
	require.Contains(t, d.paths, "/g")
	_, watch := d.begin("/g")
	require.Zero(t, watch, "a watch is set")
	d.watchFired("/g")
	poll(d, "/other", true)
	poll(d, "/other", true)
	require.NotContains(t, d.paths, "/g")
	require.Contains(t, d.paths, "/other")
}

// A listing is cached only if it was read with the current watch.
func TestCachedListing(t *testing.T) {
	const path = "/g/m"
	d := newDirectories(func() {})
	_, first := d.begin(path)
	require.Nil(t, d.cached(path), "nothing was read yet")
	old := d.store(path, first, []string{"old"}, nil)
	require.Same(t, old, d.cached(path))
	d.watchFired(path)
	require.Nil(t, d.cached(path))
	_, second := d.begin(path)
	require.Nil(t, d.cached(path), "nothing was read with this watch")
	d.store(path, first, []string{"old"}, nil) // a late answer
	require.Nil(t, d.cached(path))
	now := d.store(path, second, []string{"now"}, nil)
	require.Same(t, now, d.cached(path))
}

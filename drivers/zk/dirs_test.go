package zk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A round is one poll of one path, as far as dirs keep the books; reading arms the watch.
func round(d *dirs, path string, succeeds bool) (first time.Time) {
	d.beginPoll()
	if _, watched := d.begin(path); !watched {
		d.store(path, nil, nil)
	}
	if !succeeds {
		return time.Time{}
	}
	first = d.firstChange(path, nil)
	d.succeeded()
	return first
}

func newDirs() *dirs {
	return &dirs{asked: func() {}, changed: func() {}, paths: make(map[string]*dir)}
}

func TestFirstChange(t *testing.T) {
	const path = "/g"
	fired := func(d *dirs) time.Time {
		t.Helper()
		d.fire(path)
		return d.paths[path].fired
	}

	t.Run("is reported once", func(t *testing.T) {
		d := newDirs()
		require.Zero(t, round(d, path, true))
		require.Zero(t, round(d, path, true))
		at := fired(d)
		require.False(t, at.IsZero())
		require.Equal(t, at, round(d, path, true))
		require.Zero(t, round(d, path, true))
	})
	t.Run("is not claimed for the time before the first poll", func(t *testing.T) {
		d := newDirs()
		round(d, path, false)
		fired(d)
		require.Zero(t, round(d, path, true))
	})
	t.Run("outlives a poll that fails after it has read the path", func(t *testing.T) {
		d := newDirs()
		round(d, path, true)
		at := fired(d)
		round(d, path, false)
		fired(d)
		round(d, path, false)
		require.Equal(t, at, round(d, path, true), "the first of both")
	})
	t.Run("belongs to the next poll when it comes during one", func(t *testing.T) {
		d := newDirs()
		round(d, path, true)
		d.beginPoll()
		d.begin(path)
		at := fired(d)
		require.Zero(t, d.firstChange(path, nil))
		d.succeeded()
		require.Equal(t, at, round(d, path, true))
	})
	t.Run("is not claimed when the path was not read for a while", func(t *testing.T) {
		d := newDirs()
		round(d, path, true)
		round(d, "/other", true)
		fired(d)
		require.Zero(t, round(d, path, true))
	})
	t.Run("is the first of those inside", func(t *testing.T) {
		d := newDirs()
		read := func() time.Time {
			d.beginPoll()
			d.begin(path)
			d.begin("/g/inside")
			first := d.firstChange(path, []string{"/g/inside"})
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
	d := newDirs()
	round(d, "/g", true)
	round(d, "/other", true)
	require.Contains(t, d.paths, "/g")
	_, watched := d.begin("/g")
	require.True(t, watched)
	d.fire("/g")
	round(d, "/other", true)
	round(d, "/other", true)
	require.NotContains(t, d.paths, "/g")
	require.Contains(t, d.paths, "/other")
}

package tracker

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A sinceStep is a step of a history, with since when member a is down after it.
type sinceStep struct {
	step
	since time.Duration // since the beginning of the history; by the right clock
	least bool          // at least since
	isUp  bool          // it is not down
}

func TestDownSince(t *testing.T) {
	for name, steps := range sinceHistories() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { runSince(t, strings.Contains(name, "znode"), steps) })
	}
}

func sinceHistories() map[string][]sinceStep {
	return map[string][]sinceStep{
		"dead before the program began": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 11 * sec, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 20 * sec, restart: true, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
		},
		"dead before the program began, by another clock": {
			{step: step{at: 0, backStep: hour, rows: rows("a:down:beat=50m")}, since: -10 * mins},
			{step: step{at: 11 * sec, rows: rows("a:down:beat=50m")}, since: -10 * mins},
		},
		"dead before the program began, and the agent recorded when": {
			{step: step{at: 0, rows: rows("a:down:rostered:died=-10m")}, since: -10 * mins},
		},
		"dead before the program began, and nothing is known": {
			{step: step{at: 0, rows: rows("a:down:rostered")}, since: 0, least: true},
			{step: step{at: 11 * sec, rows: rows("a:down:rostered")}, since: 0, least: true},
			{step: step{at: 20 * sec, restart: true, rows: rows("a:down:rostered")}, since: 0, least: true},
		},
		"dead before the program began, with a heartbeat of the future": {
			{step: step{at: 0, rows: rows("a:down:beat=10m")}, since: 0, least: true},
			{step: step{at: 20 * mins, rows: rows("a:down:beat=10m")}, since: 0, least: true},
		},
		"dead while the program did not run": {
			{step: step{at: 0, rows: rows("a:up:beat=0s")}, isUp: true},
			{step: step{at: hour, restart: true, rows: rows("a:down:beat=20s")}, since: 20 * sec},
		},
		"a heartbeat that ends, by another clock": {
			{step: step{at: 0, backStep: -hour, rows: rows("a:up:beat=-1h")}, isUp: true},
			{step: step{at: 65 * sec, took: sec, rows: rows("a:down:beat=-1h")}, since: 0},
		},
		"alive for a moment between two polls": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 5 * mins, rows: rows("a:down:beat=2m")}, since: 2 * mins},
		},
		"a znode that is removed": {
			{step: step{at: 0, rows: rows("a:up:session=4s")}, isUp: true},
			{step: step{at: 10 * sec, changed: 9 * sec}, since: 5 * sec},
			{step: step{at: 20 * sec, restart: true}, since: 5 * sec},
		},
		"alive in between": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 10 * sec, rows: rows("a:up:beat=9s")}, isUp: true},
			{step: step{at: 70 * sec, rows: rows("a:down:beat=9s")}, since: 9 * sec},
		},
		"the source can't be read meanwhile": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 10 * sec, failed: true}, since: -10 * mins},
			{step: step{at: 20 * sec, unknown: "a"}, since: -10 * mins},
			{step: step{at: 30 * sec, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
		},
		"forced down while it was up": {
			{step: step{at: 0, rows: rows("a:up:beat=0s:unforced")}, isUp: true},
			{step: step{at: 10 * sec, rows: rows("a:down:beat=10s:forced")}, since: 10 * sec},
			{step: step{at: 20 * sec, rows: rows("a:down:beat=20s:forced")}, since: 10 * sec},
			{step: step{at: 30 * sec, restart: true, rows: rows("a:down:beat=20s:forced")}, since: 10 * sec},
			{step: step{at: 90 * sec, rows: rows("a:down:beat=20s:unforced")}, since: 20 * sec},
		},
		"forced down when it was first seen": {
			{step: step{at: 0, rows: rows("a:down:beat=0s:forced")}, since: 0, least: true},
		},
		"fenced": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m:unforced")}, since: -10 * mins},
			{step: step{at: 10 * sec, rows: rows("a:down:beat=-10m:forced")}, since: -10 * mins},
			{step: step{at: 20 * sec, restart: true, rows: rows("a:down:beat=-10m:unforced")}, since: -10 * mins},
		},
		"this machine's clock is set ahead and back": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 10 * sec, wallStep: hour, rows: rows("a:down:beat=-10m")}, since: hour - 10*mins},
			{step: step{at: 20 * sec, wallStep: -hour, rows: rows("a:down:beat=-10m")}, since: -hour - 10*mins},
		},
		"this machine's clock is set back where only znodes are known": {
			{step: step{at: 0, rows: rows("a:down")}, since: 0, least: true},
			{step: step{at: 10 * sec, wallStep: -hour, rows: rows("a:down")}, since: -hour, least: true},
		},
		"this machine's clock is set back while the program does not run": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 10 * sec, restart: true, wallStep: -hour, rows: rows("a:down:beat=-10m")}, since: 10*sec - hour, least: true},
		},
		"the backend's clock is set while it is down": {
			{step: step{at: 0, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 10 * sec, backStep: hour, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
			{step: step{at: 20 * sec, backStep: -hour, rows: rows("a:down:beat=-10m")}, since: -10 * mins},
		},
		"the backend's clock is set while it is up": {
			{step: step{at: 0, rows: rows("a:up:beat=0s")}, isUp: true},
			{step: step{at: 10 * sec, backStep: -hour, rows: rows("a:down:beat=0s")}, isUp: true},
			{step: step{at: 80 * sec, rows: rows("a:down:beat=0s")}, since: 80 * sec, least: true},
		},
	}
}

func runSince(t *testing.T, noClock bool, steps []sinceStep) {
	t.Helper()
	p := newPlayer(history{noClock: noClock})
	for i, s := range steps {
		p.play(t, &s.step)
		since, isKnown := p.tracker.Members()[0].DownSince()
		if s.isUp {
			require.Zero(t, since, "step %d", i+1)
			continue
		}
		require.Equal(t, t0.Add(s.since), since, "step %d", i+1)
		require.Equal(t, !s.least, isKnown, "step %d", i+1)
	}
}

func TestDownSinceOfAnEarlierVersion(t *testing.T) {
	for words, want := range map[string]struct {
		ago   time.Duration
		least bool
	}{
		"a:down:beat=-10m": {ago: 10 * mins},
		"a:down":           {ago: 0, least: true},
		"a:down:died=-1m":  {ago: mins},
		"a:down:forced":    {ago: 0, least: true},
	} {
		tr := newTracker(hour)
		tr.observeAt(0, words)
		saved := tr.Save()
		saved.Members[0].DownSince, saved.Members[0].DownSinceKnown = time.Time{}, false
		data, err := json.Marshal(saved)
		require.NoError(t, err)
		require.NotContains(t, string(data), "down_since")
		saved, err = ParseSaved(data, "s")
		require.NoError(t, err)
		next := newTracker(hour)
		next.Restore(saved, Instant{Wall: t0.Add(sec), Mono: sec})
		since, isKnown := next.Members()[0].DownSince()
		require.Equal(t, t0.Add(-want.ago), since, words)
		require.Equal(t, !want.least, isKnown, words)
	}
}

package tracker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func outageHistories() []history {
	return []history{
		{name: "an outage kills nobody", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s b:up:beat=-5s"), want: "a=up b=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, failed: true},
			{at: 315 * sec, rows: rows("a:down:beat=-5s b:up:beat=314s"), want: "a=unknown b=up"},
			{at: 330 * sec, rows: rows("a:up:beat=329s b:up:beat=329s"), want: "a=up b=up"},
			{at: 345 * sec, rows: rows("a:up:beat=329s b:up:beat=329s"), want: "a=up b=up"},
		}},
		{name: "what stays silent after an outage is dead after its down time", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 315 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 370 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 371 * sec, rows: rows("a:down:beat=-5s"), want: "death a 6m16s; a=down"},
		}},
		{name: "a beat within the outage counts", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=200s"), want: "a=unknown"},
			{at: 360 * sec, rows: rows("a:down:beat=200s"), want: "a=unknown"},
			{at: 361 * sec, rows: rows("a:down:beat=200s"), want: "death a 2m41s; a=down"},
		}},
		{name: "up right after the outage and silent then", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 50 * sec, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 65 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 110 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 111 * sec, rows: rows("a:down:beat=0s"), want: "death a 1m51s; a=down"},
		}},
		{name: "another outage while held", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 100 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 120 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 135 * sec, failed: true},
			{at: 200 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 235 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 236 * sec, rows: rows("a:down:beat=-5s"), want: "death a 4m1s; a=down"},
		}},
		{name: "a source that fails every other time hides no death", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s b:up:beat=-5s"), want: "a=up b=up"},
			{at: 60 * sec, failed: true},
			{at: 120 * sec, rows: rows("a:down:beat=-5s b:up:beat=119s"), want: "a=unknown b=up"},
			{at: 180 * sec, failed: true},
			{at: 240 * sec, rows: rows("a:down:beat=-5s b:up:beat=239s"), want: "a=unknown b=up"},
			{at: 300 * sec, failed: true},
			{at: 360 * sec, rows: rows("a:down:beat=-5s b:up:beat=359s"), want: "a=unknown b=up"},
			{at: 420 * sec, failed: true},
			{at: 480 * sec, rows: rows("a:down:beat=-5s b:down:beat=359s"), want: "death a 8m5s; a=down b=unknown"},
			{at: 540 * sec, rows: rows("a:down:beat=-5s b:up:beat=539s"), want: "a=down b=up"},
		}},
		{name: "an old outage excuses nobody", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 100 * sec, rows: rows("a:up:beat=99s"), want: "a=up"},
			{at: 170 * sec, rows: rows("a:down:beat=101s"), want: "death a 1m9s; a=down"},
		}},
		{name: "down by another rule than silence soon after an outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 30 * sec, rows: rows("a:up:beat=29s"), want: "a=up"},
			{at: 45 * sec, rows: rows("a:down:beat=31s"), want: "death a 14s; a=down"},
		}},
		{name: "gone a while after the outage", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:session=10s"), want: "a=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:up:session=10s"), want: "a=up"},
			{at: 66 * sec, rows: rows("a:up:session=10s"), want: "a=up"},
			{at: 69 * sec, rows: nil, want: "a=unknown"},
			{at: 70 * sec, rows: nil, want: "death a 14s; a=down"},
		}},
		{name: "failed polls before the first good one are no outage", steps: []step{
			{at: 0, failed: true},
			{at: 15 * sec, rows: rows("a:up:beat=14s b:down:beat=-1h"), want: "a=up b=down"},
			{at: 75 * sec, rows: rows("a:down:beat=14s b:down:beat=-1h"), want: "death a 1m1s; a=down b=down"},
		}},
		{name: "the dead stay dead over an outage", steps: []step{
			{at: 0, rows: rows("a:down:beat=-1h"), want: "a=down"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=-1h"), want: "a=down"},
			{at: 400 * sec, failed: true},
			{at: 500 * sec, rows: rows("a:up:beat=499s"), want: "recovery a 1h8m20s; a=up"},
		}},
		{name: "members without heartbeats have one session timeout", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up:rostered c:up:session=10s"), want: "a=up b=up c=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("b:down:rostered"), want: "a=unknown b=unknown c=unknown"},
			{at: 63 * sec, rows: rows("a:up b:down:rostered"), want: "a=up b=unknown c=unknown"},
			{
				at: 64 * sec, rows: rows("a:up b:down:rostered"),
				want: "death b 1m8s; a=up b=down c=unknown",
			},
			{at: 69 * sec, rows: rows("a:up b:down:rostered"), want: "a=up b=down c=unknown"},
			{at: 70 * sec, rows: rows("a:up b:down:rostered"), want: "death c 1m20s; a=up b=down c=down"},
		}},
		{name: "gone soon after the outage", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 62 * sec, rows: rows("b:up"), want: "a=unknown b=up"},
			{at: 66 * sec, changed: 65 * sec, rows: nil, want: "death a 10s, death b 5s; a=down b=down"},
		}},
		{name: "an agent that recorded the death knew better", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:down:rostered:died=50s"), want: "death a 10s; a=down"},
		}},
		{name: "forced down over an outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=0s:forced"), want: "forced_down a; a=down"},
		}},
		{name: "forced down while held", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=0s:unforced"), want: "a=unknown"},
			{at: 310 * sec, rows: rows("a:down:beat=0s:forced"), want: "forced_down a; a=down"},
		}},
		{name: "a rostered member left during the outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:rostered"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: nil, want: "leave a;"},
		}},
		{name: "without a down time nothing can be excused", downTime: -1, steps: []step{
			{at: 0, rows: rows("a:up:beat=-1s b:up"), want: "a=up b=up"},
			{at: 15 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:down:beat=-1s b:down"), want: "death a 1m1s, death b 1m0s; a=down b=down"},
		}},
	}
}

func unreadableHistories() []history {
	return []history{
		{name: "a part of the backend is out of reach for a time", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s:rostered b:down:beat=-1h:rostered c:up:beat=-5s"), want: "a=up b=down c=up"},
			{at: 15 * sec, unknown: "a:rostered b:rostered", rows: rows("c:up:beat=14s"), want: "a=unknown b=unknown c=up"},
			{at: 300 * sec, unknown: "a:rostered b:rostered", rows: rows("c:up:beat=299s"), want: "a=unknown b=unknown c=up"},
			{
				at: 315 * sec, rows: rows("a:up:beat=314s:rostered b:down:beat=-1h:rostered c:up:beat=314s"),
				want: "a=up b=down c=up",
			},
		}},
		{name: "silent after its part of the backend was out of reach", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s:rostered b:up:beat=-5s:rostered"), want: "a=up b=up"},
			{at: 15 * sec, unknown: "a:rostered", rows: rows("b:up:beat=14s:rostered"), want: "a=unknown b=up"},
			{at: 75 * sec, rows: rows("a:down:beat=-5s:rostered b:down:beat=14s:rostered"), want: "death b 1m1s; a=unknown b=down"},
			{at: 130 * sec, rows: rows("a:down:beat=-5s:rostered b:down:beat=14s:rostered"), want: "a=unknown b=down"},
			{at: 131 * sec, rows: rows("a:down:beat=-5s:rostered b:down:beat=14s:rostered"), want: "death a 2m16s; a=down b=down"},
		}},
		{name: "silent in two outages that overlap", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:rostered"), want: "a=up"},
			{at: 10 * sec, unknown: "a:rostered", want: "a=unknown"},
			{at: 20 * sec, failed: true},
			{at: 100 * sec, unknown: "a:rostered", want: "a=unknown"},
			{at: 110 * sec, rows: rows("a:down:beat=0s:rostered"), want: "a=unknown"},
			{at: 170 * sec, rows: rows("a:down:beat=0s:rostered"), want: "a=unknown"},
			{at: 171 * sec, rows: rows("a:down:beat=0s:rostered"), want: "death a 2m51s; a=down"},
		}},
		{name: "without heartbeats silent after it was out of reach", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 10 * sec, unknown: "a:rostered", want: "a=unknown"},
			{at: 20 * sec, rows: rows("a:down:rostered"), want: "a=unknown"},
			{at: 24 * sec, rows: rows("a:down:rostered"), want: "death a 28s; a=down"},
		}},
		{name: "out of reach when first seen", steps: []step{
			{at: 0, unknown: "a:rostered b:rostered", want: "a=unknown b=unknown"},
			{at: 15 * sec, unknown: "c:rostered", rows: rows("a:up:rostered b:down:rostered"), want: "join c; a=up b=down c=unknown"},
			{at: 30 * sec, unknown: "a:rostered", rows: rows("b:down:rostered"), want: "leave c; a=unknown b=down"},
			{at: 45 * sec, rows: rows("a:up:rostered b:up:rostered"), want: "recovery b; a=up b=up"},
		}},
		{name: "out of reach when first seen and not again", steps: []step{
			{at: 0, unknown: "a", want: "a=unknown"},
			{at: 15 * sec, want: "leave a;"},
		}},
		{name: "one outage after the other", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:rostered"), want: "a=up"},
			{at: 10 * sec, unknown: "a:rostered", want: "a=unknown"},
			{at: 100 * sec, rows: rows("a:down:beat=0s:rostered"), want: "a=unknown"},
			{at: 110 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=0s:rostered"), want: "a=unknown"},
			{at: 360 * sec, rows: rows("a:down:beat=0s:rostered"), want: "a=unknown"},
			{at: 361 * sec, rows: rows("a:down:beat=0s:rostered"), want: "death a 6m1s; a=down"},
		}},
		{name: "the last outage counts where there are no heartbeats", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 10 * sec, failed: true},
			{at: 20 * sec, unknown: "a:rostered", want: "a=unknown"},
			{at: 40 * sec, rows: rows("a:down:rostered"), want: "a=unknown"},
			{at: 43 * sec, rows: rows("a:down:rostered"), want: "a=unknown"},
			{at: 44 * sec, rows: rows("a:down:rostered"), want: "death a 48s; a=down"},
		}},
		{name: "out of reach long ago", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:rostered"), want: "a=up"},
			{at: 10 * sec, unknown: "a:rostered", want: "a=unknown"},
			{at: 20 * sec, rows: rows("a:up:beat=19s:rostered"), want: "a=up"},
			{at: 85 * sec, rows: rows("a:down:beat=21s:rostered"), want: "death a 1m4s; a=down"},
		}},
		{name: "out of reach over restarts", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s:rostered"), want: "a=up"},
			{at: 15 * sec, unknown: "a:rostered b:rostered", want: "join b; a=unknown b=unknown"},
			{at: 30 * sec, restart: true, unknown: "a:rostered b:rostered", want: "a=unknown b=unknown"},
			{at: 100 * sec, rows: rows("a:down:beat=-5s:rostered b:up:rostered"), want: "a=unknown b=up"},
			{at: 155 * sec, restart: true, rows: rows("a:down:beat=-5s:rostered b:up:rostered"), want: "a=unknown b=up"},
			{at: 156 * sec, rows: rows("a:down:beat=-5s:rostered b:up:rostered"), want: "death a 2m41s; a=down b=up"},
		}},
		{name: "a group that can't be read", steps: []step{
			{at: 0, rows: rows("a:up b:down:rostered h/c:up"), want: "a=up b=down h/c=up"},
			{at: 15 * sec, locked: "g", rows: rows("h/c:up"), want: "a=unknown b=unknown h/c=up"},
			{at: 300 * sec, locked: "g", rows: rows("h/c:down"), want: "death h/c 5m45s; a=unknown b=unknown h/c=down"},
			{at: 315 * sec, restart: true, locked: "g", rows: rows("h/c:down"), want: "a=unknown b=unknown h/c=down"},
			{at: 330 * sec, rows: rows("a:up h/c:down"), want: "leave b; a=up h/c=down"},
		}},
		{name: "silent after its group could not be read", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up h/c:up"), want: "a=up b=up h/c=up"},
			{at: 10 * sec, locked: "g", want: "death h/c 14s; a=unknown b=unknown h/c=down"},
			{at: 20 * sec, rows: rows("a:up"), want: "a=up b=unknown h/c=down"},
			{at: 24 * sec, rows: rows("a:up"), want: "death b 28s; a=up b=down h/c=down"},
		}},
		{name: "groups that can't be read from the start", steps: []step{
			{at: 0, locked: "g h", rows: rows("i/a:up"), want: "i/a=up"},
			{at: 15 * sec, locked: "h", rows: rows("i/a:up b:up c:down"), want: "join b, join c; b=up c=down i/a=up"},
			{at: 30 * sec, locked: "h g i", want: "b=unknown c=unknown i/a=unknown"},
			{at: 45 * sec, rows: rows("i/a:up b:up"), want: "b=up c=down i/a=up"},
		}},
		{name: "a row of a group that can't be read as a whole counts", steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 15 * sec, locked: "g", rows: rows("b:up"), want: "a=unknown b=up"},
		}},
		{name: "a verdict beats the want of one", steps: []step{
			{at: 0, rows: rows("a:down:beat=-2h"), unknown: "a:beat=-1h", want: "a=down"},
			{at: 15 * sec, rows: rows("a:down"), rejected: drivers.Rejection{Group: "g", Name: "a"}, want: "a=down"},
		}},
	}
}

// observeAt observes a poll that takes no time, of a backend with a clock and a heartbeat timeout of a minute.
func (t *Tracker) observeAt(at time.Duration, words string) Changes {
	now := Instant{Wall: t0.Add(at), Mono: at}
	return t.Observe(&drivers.Poll{Members: rows(words), Now: now.Wall, DownTime: mins}, now, now)
}

func TestOutagesAreDropped(t *testing.T) {
	tr := newTracker(hour)
	for i := range 100 {
		tr.observeAt(time.Duration(i)*sec, "a:up")
		tr.ObserveFailure()
	}
	tr.observeAt(100*sec, "a:up")
	require.Len(t, tr.outages, 1, "outages without a pause between them are one")
	tr.observeAt(160*sec, "a:up")
	require.Len(t, tr.outages, 1)
	tr.observeAt(161*sec, "a:up")
	require.Empty(t, tr.outages, "it can no longer excuse any member")

	now := Instant{Wall: t0.Add(170 * sec), Mono: 170 * sec}
	tr.Observe(&drivers.Poll{Unknown: rows("a"), DownTime: mins, Now: now.Wall}, now, now)
	tr.observeAt(180*sec, "a:up")
	require.Len(t, tr.order[0].unreadableSpans, 1)
	tr.observeAt(241*sec, "a:up")
	require.Empty(t, tr.order[0].unreadableSpans)
}

func TestRecheckIsWhenTheFirstGraceEnds(t *testing.T) {
	tr := newTracker(hour)
	tr.observeAt(0, "a:up:beat=-20s b:up:beat=-30s c:up:beat=-10s d:up")
	tr.ObserveFailure()
	silent := "a:down:beat=-20s b:down:beat=-30s c:down:beat=-10s d:down"
	require.Equal(t, 30*sec, tr.observeAt(100*sec, silent).Recheck)
	require.Equal(t, minRecheck, tr.observeAt(130*sec, silent).Recheck)
	changes := tr.observeAt(131*sec, silent)
	require.Len(t, changes.Events, 1)
	require.Equal(t, 9*sec, changes.Recheck)
	require.Zero(t, tr.observeAt(161*sec, silent).Recheck)
}

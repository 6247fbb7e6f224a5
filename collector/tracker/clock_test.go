package tracker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func clockHistories() []history {
	var all []history
	for _, wrong := range []time.Duration{-hour, hour} {
		all = append(all,
			history{name: "this machine's clock jumps by " + wrong.String(), steps: []step{
				{at: 0, rows: rows("a:up:beat=0s b:up:beat=0s"), want: "a=up b=up"},
				{at: 15 * sec, wallStep: wrong, rows: rows("a:up:beat=14s b:up:beat=0s"), want: "a=up b=up"},
				{at: 65 * sec, rows: rows("a:up:beat=64s b:down:beat=0s"), want: "death b 1m5s; a=up b=down"},
				{at: 75 * sec, wallStep: -wrong, rows: rows("a:up:beat=74s b:up:beat=75s"), want: "recovery b 1m15s; a=up b=up"},
			}},
			history{
				name:    "this machine's clock jumps where there are no heartbeats by " + wrong.String(),
				noClock: true, downTime: 4 * sec, forgetAfter: 30 * mins, steps: []step{
					{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
					{at: 10 * sec, wallStep: wrong, rows: rows("a:up"), want: "death b 14s; a=up b=down"},
					{at: 20 * sec, wallStep: -wrong, rows: rows("a:up"), want: "a=up b=down"},
					{at: 30 * sec, rows: rows("a:up b:up"), want: "recovery b 34s; a=up b=up"},
					{at: 40 * sec, failed: true},
					{at: 50 * sec, wallStep: wrong, rows: rows("a:up"), want: "a=up b=unknown"},
					{at: 53 * sec, wallStep: -wrong, rows: rows("a:up"), want: "a=up b=unknown"},
					{at: 54 * sec, rows: rows("a:up"), want: "death b 28s; a=up b=down"},
				},
			},
		)
	}
	all = append(all, steppedHistories()...)
	return append(all,
		history{name: "after an outage another server answers whose clock is an hour ahead", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 30 * sec, backStep: hour, rows: rows("a:down:beat=29s"), want: "a=unknown"},
			{at: 60 * sec, rows: rows("a:up:beat=1h0m59s"), want: "a=up"},
		}},
		history{name: "after an outage another server answers whose clock is an hour behind", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s b:up:beat=0s"), want: "a=up b=up"},
			{at: 15 * sec, failed: true},
			{at: 30 * sec, backStep: -hour, rows: rows("a:down:beat=0s b:down:beat=0s"), want: "a=unknown b=unknown"},
			{at: 89 * sec, rows: rows("a:up:beat=-59m b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 90 * sec, rows: rows("a:up:beat=-59m b:down:beat=0s"), want: "death b; a=up b=down"},
		}},
	)
}

// steppedHistories set a clock while members live and die. The step causes no death, and hides no death for longer than a
// member may be silent.
func steppedHistories() []history {
	return []history{
		{name: "the backend's clock is set ahead by an hour, and back", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s b:up:beat=0s"), want: "a=up b=up"},
			{at: 15 * sec, backStep: hour, rows: rows("a:down:beat=14s b:down:beat=0s"), want: "a=unknown b=unknown"},
			{at: 30 * sec, rows: rows("a:up:beat=1h0m29s b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 75 * sec, rows: rows("a:up:beat=1h1m14s b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 76 * sec, rows: rows("a:up:beat=1h1m16s b:down:beat=0s"), want: "death b; a=up b=down"},
			{at: 90 * sec, backStep: sec, rows: rows("a:down:beat=1h1m29s b:down:beat=0s"), want: "a=unknown b=down"},
			{at: 100 * sec, rows: rows("a:up:beat=100s b:up:beat=101s"), want: "recovery b; a=up b=up"},
			{at: 160 * sec, rows: rows("a:up:beat=150s b:up:beat=101s"), want: "a=up b=up"},
			{at: 161 * sec, rows: rows("a:up:beat=150s b:down:beat=101s"), want: "death b 1m1s; a=up b=down"},
		}},
		{name: "the backend's clock is set back by an hour, and ahead", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s b:up:beat=0s"), want: "a=up b=up"},
			{at: 15 * sec, backStep: -hour, rows: rows("a:down:beat=14s b:down:beat=0s"), want: "a=unknown b=unknown"},
			{at: 30 * sec, rows: rows("a:up:beat=-59m31s b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 74 * sec, rows: rows("a:up:beat=-58m47s b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 75 * sec, rows: rows("a:up:beat=-58m46s b:down:beat=0s"), want: "death b; a=up b=down"},
			{at: 90 * sec, backStep: sec, rows: rows("a:down:beat=-58m31s b:down:beat=0s"), want: "a=unknown b=down"},
			{at: 100 * sec, rows: rows("a:up:beat=99s b:down:beat=0s"), want: "a=up b=down"},
		}},
		{name: "two clocks in turns do not hide a death without limit", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 70 * sec, backStep: 9 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 140 * sec, backStep: sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 210 * sec, backStep: 9 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 280 * sec, backStep: sec, rows: rows("a:down:beat=0s"), want: "death a; a=down"},
		}},
		{name: "this machine's clock is set where heartbeats are compared with it", noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:beat=0s b:up:beat=0s"), want: "a=up b=up"},
			{at: 15 * sec, wallStep: hour, rows: rows("a:down:beat=14s b:down:beat=0s"), want: "a=unknown b=unknown"},
			{at: 30 * sec, wallStep: sec, rows: rows("a:up:beat=29s b:up:beat=0s"), want: "a=up b=up"},
			{at: 61 * sec, rows: rows("a:up:beat=59s b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 90 * sec, rows: rows("a:up:beat=89s b:down:beat=0s"), want: "a=up b=unknown"},
			{at: 91 * sec, rows: rows("a:up:beat=90s b:down:beat=0s"), want: "death b 1m32s; a=up b=down"},
		}},
		{name: "a clock that runs too fast for a while was not set", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 61 * sec, backStep: 900 * ms, rows: rows("a:down:beat=0s"), want: "death a 1m1.9s; a=down"},
		}},
		{name: "a poll that takes its time has read the clock at any time of it", steps: []step{
			{at: 0, took: 5 * sec, backStep: 5 * sec, rows: rows("a:up:beat=5s"), want: "a=up"},
			{at: 61 * sec, backStep: sec, rows: rows("a:up:beat=5s"), want: "a=up"},
			{at: 67 * sec, took: 5 * sec, backStep: 5 * sec, rows: rows("a:down:beat=5s"), want: "death a 1m12s; a=down"},
		}},
	}
}

func TestInstantOfAnEarlierProcess(t *testing.T) {
	now := Instant{Wall: t0, Mono: 5 * sec}
	require.True(t, now.at(time.Time{}).IsZero())
	require.Equal(t, 90*sec, now.Sub(now.at(t0.Add(-90*sec))))
}

package collector

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

func TestTheRealClockGoesOn(t *testing.T) {
	now := newClock()
	first := now()
	second := now()
	require.GreaterOrEqual(t, second.sub(first), time.Duration(0))
	require.Equal(t, second.wall.Sub(first.wall), second.sub(first))
	require.True(t, first.at(time.Time{}).isZero())
	require.Equal(t, 90*sec, first.sub(first.at(first.wall.Add(-90*sec))).Round(ms))
}

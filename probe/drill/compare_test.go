package drill

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// at returns the time s seconds after the start of the drill.
func at(s float64) time.Time { return start.Add(seconds(s)) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func up(s float64) observation { return observation{at: at(s), up: true} }

func down(s float64) observation {
	return observation{at: at(s), reported: seconds(9), hasReported: true}
}

// spans returns the spans in which a member lived: from, until, from, until…; the last span may have no end.
func spans(s ...float64) []span {
	var all []span
	for i := 0; i < len(s); i += 2 {
		one := span{from: at(s[i])}
		if i+1 < len(s) {
			one.until = at(s[i+1])
		}
		all = append(all, one)
	}
	return all
}

// The heartbeat timeout is 4 s, polls are 1 s apart and took 0.2 s at most, so that deaths of up to 8.2 s need not be
// detected. The drill ends after 100 s.
func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		spans []span
		seen  []observation

		detected   []float64 // detection times in seconds, -1 for an undetected death
		recovered  []float64 // recovery times of the same deaths, -1 without a return
		mistakes   []float64 // their durations
		liveTime   float64
		unmeasured int
	}{
		"lives":                      {spans(0), []observation{up(1)}, nil, nil, nil, 99, 0},
		"dies and returns":           {spans(0, 10, 20), []observation{up(1), down(14.5), up(20.5)}, []float64{4.5}, []float64{0.5}, nil, 88.5, 0},
		"stays dead":                 {spans(0, 10), []observation{up(1), down(14.5)}, []float64{4.5}, []float64{-1}, nil, 9, 0},
		"is not detected":            {spans(0, 10, 30), []observation{up(1)}, []float64{-1}, []float64{-1}, nil, 79, 0},
		"is not detected until end":  {spans(0, 10), []observation{up(1)}, []float64{-1}, []float64{-1}, nil, 9, 0},
		"dies at the end":            {spans(0, 95), []observation{up(1)}, nil, nil, nil, 94, 1},
		"returns after the end":      {spans(0, 90, 101), []observation{up(1), down(94), up(102)}, []float64{4}, []float64{-1}, nil, 89, 0},
		"flaps undetected":           {spans(0, 10, 13), []observation{up(1)}, nil, nil, nil, 96, 1},
		"flaps and is seen late":     {spans(0, 10, 14.4), []observation{up(1), down(14.5), up(15.5)}, []float64{4.5}, []float64{1.1}, nil, 9 + 84.5, 0},
		"is reported dead":           {spans(0), []observation{up(1), down(50), up(53)}, nil, nil, []float64{3}, 99, 0},
		"is reported dead twice":     {spans(0), []observation{up(1), down(50), up(53), down(60), up(61)}, nil, nil, []float64{3, 1}, 99, 0},
		"is reported dead to end":    {spans(0), []observation{up(1), down(50)}, nil, nil, []float64{50}, 99, 0},
		"dies while reported dead":   {spans(0, 60), []observation{up(1), down(50)}, nil, nil, []float64{10}, 59, 1},
		"reported dead after return": {spans(0, 10, 20), []observation{up(1), down(14), up(20.5), down(30), up(31)}, []float64{4}, []float64{0.5}, []float64{1}, 88.5, 0},
		"a late poll is no mistake":  {spans(0, 10, 13), []observation{up(1), down(13.1), up(14)}, []float64{3.1}, []float64{1}, nil, 95, 0},
		"a later poll is a mistake":  {spans(0, 10, 13), []observation{up(1), down(13.3), up(14)}, nil, nil, []float64{0.7}, 96, 1},
		"dies before it is seen":     {spans(0, 10, 20, 20.3, 30), []observation{up(1), down(14), up(31)}, []float64{4}, []float64{-1}, nil, 78, 1},
		"seen before join returns":   {spans(0, 10, 20), []observation{up(1), down(14), up(19.9)}, []float64{4}, []float64{-0.1}, nil, 89.1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := comparison{
				seen: observations{byMember: map[string][]observation{"one": test.seen}, longest: seconds(0.2)},
				end:  at(100), downTime: seconds(4), pollInterval: seconds(1),
			}
			c.compareAll([]history{{member: "one", spans: test.spans}})
			var detected, recovered, mistakes []float64
			for _, d := range c.deaths {
				detected, recovered = append(detected, since(d.at, d.detected)), append(recovered, since(d.returned, d.seenUp))
				require.Equal(t, !d.detected.IsZero(), d.hasReported)
			}
			for _, m := range c.mistakes {
				mistakes = append(mistakes, m.duration.Seconds())
			}
			require.InDeltaSlice(t, test.detected, detected, 1e-6)
			require.InDeltaSlice(t, test.recovered, recovered, 1e-6)
			require.InDeltaSlice(t, test.mistakes, mistakes, 1e-6)
			require.InDelta(t, test.liveTime, c.liveTime.Seconds(), 1e-6)
			require.Equal(t, test.unmeasured, c.unmeasured)
		})
	}
}

// since returns the seconds between two times, -1 without an end.
func since(from, to time.Time) float64 {
	if to.IsZero() {
		return -1
	}
	return to.Sub(from).Seconds()
}

package drill

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// at gives a moment of the drill, in seconds.
func at(s float64) time.Time { return start.Add(seconds(s)) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func up(s float64) sight { return sight{at: at(s), up: true} }

func down(s float64) sight {
	return sight{at: at(s), reported: seconds(9), hasReported: true}
}

// spans gives the times in which a member lived: from, until, from, until…; the last may have no end.
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

// The down time is 4 s, polls are 1 s apart and took 0.2 s at most, so that deaths of up to 8.2 s may be overlooked. The
// drill ends after 100 s.
func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		spans  []span
		sights []sight

		detected   []float64 // detection times in seconds, -1 for a death that nobody noticed
		back       []float64 // of the same deaths, -1 for those that nobody returned from
		mistakes   []float64 // their durations
		trusted    float64
		unmeasured int
	}{
		"lives":                     {spans(0), []sight{up(1)}, nil, nil, nil, 99, 0},
		"dies and returns":          {spans(0, 10, 20), []sight{up(1), down(14.5), up(20.5)}, []float64{4.5}, []float64{0.5}, nil, 88.5, 0},
		"stays dead":                {spans(0, 10), []sight{up(1), down(14.5)}, []float64{4.5}, []float64{-1}, nil, 9, 0},
		"is missed":                 {spans(0, 10, 30), []sight{up(1)}, []float64{-1}, []float64{-1}, nil, 79, 0},
		"is missed to the end":      {spans(0, 10), []sight{up(1)}, []float64{-1}, []float64{-1}, nil, 9, 0},
		"dies at the end":           {spans(0, 95), []sight{up(1)}, nil, nil, nil, 94, 1},
		"returns after the end":     {spans(0, 90, 101), []sight{up(1), down(94), up(102)}, []float64{4}, []float64{-1}, nil, 89, 0},
		"flaps unseen":              {spans(0, 10, 13), []sight{up(1)}, nil, nil, nil, 96, 1},
		"flaps and is seen late":    {spans(0, 10, 14.4), []sight{up(1), down(14.5), up(15.5)}, []float64{4.5}, []float64{1.1}, nil, 9 + 84.5, 0},
		"is called dead":            {spans(0), []sight{up(1), down(50), up(53)}, nil, nil, []float64{3}, 99, 0},
		"is called dead twice":      {spans(0), []sight{up(1), down(50), up(53), down(60), up(61)}, nil, nil, []float64{3, 1}, 99, 0},
		"is called dead for good":   {spans(0), []sight{up(1), down(50)}, nil, nil, []float64{50}, 99, 0},
		"dies while called dead":    {spans(0, 60), []sight{up(1), down(50)}, nil, nil, []float64{10}, 59, 1},
		"called dead after return":  {spans(0, 10, 20), []sight{up(1), down(14), up(20.5), down(30), up(31)}, []float64{4}, []float64{0.5}, []float64{1}, 88.5, 0},
		"a late poll is no mistake": {spans(0, 10, 13), []sight{up(1), down(13.1), up(14)}, []float64{3.1}, []float64{1}, nil, 95, 0},
		"too late is a mistake":     {spans(0, 10, 13), []sight{up(1), down(13.3), up(14)}, nil, nil, []float64{0.7}, 96, 1},
		"dies before it is seen":    {spans(0, 10, 20, 20.3, 30), []sight{up(1), down(14), up(31)}, []float64{4}, []float64{-1}, nil, 78, 1},
		"seen before it knows":      {spans(0, 10, 20), []sight{up(1), down(14), up(19.9)}, []float64{4}, []float64{-0.1}, nil, 89.1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			j := judge{
				seen: record{sights: map[string][]sight{"one": test.sights}, longest: seconds(0.2)},
				end:  at(100), downTime: seconds(4), poll: seconds(1),
			}
			j.judgeAll([]life{{member: "one", spans: test.spans}})
			var detected, back, mistakes []float64
			for _, d := range j.deaths {
				detected, back = append(detected, since(d.at, d.seen)), append(back, since(d.returned, d.back))
				require.Equal(t, !d.seen.IsZero(), d.hasReported)
			}
			for _, m := range j.mistakes {
				mistakes = append(mistakes, m.duration.Seconds())
			}
			require.InDeltaSlice(t, test.detected, detected, 1e-6)
			require.InDeltaSlice(t, test.back, back, 1e-6)
			require.InDeltaSlice(t, test.mistakes, mistakes, 1e-6)
			require.InDelta(t, test.trusted, j.trusted.Seconds(), 1e-6)
			require.Equal(t, test.unmeasured, j.unmeasured)
		})
	}
}

// since gives seconds, -1 where there is no end.
func since(from, to time.Time) float64 {
	if to.IsZero() {
		return -1
	}
	return to.Sub(from).Seconds()
}

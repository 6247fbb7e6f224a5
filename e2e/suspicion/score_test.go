package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The reference detectors do as they did when the recording was first evaluated, by another program.
func TestReferences(t *testing.T) {
	e := newEvaluation(recording(t), usualLead, 60)
	for name, want := range map[string]struct{ recorded, putIn, mistakes, withNova float64 }{
		"Nova's rule, 60 s":          {55.4, 54.2, 0, 3},
		"fixed 2.5 × i":              {20.4, 19.2, 37.7, 3},
		noGuard:                      {20.4, 19.2, 35.3, 3},
		"NFD-E, window 16, α 15 s":   {20.4, 19.2, 175.7, 3},
		"phi accrual 8, std ≥ 0.5 s": {21.8, 7.2, 57.3, 3},
		"phi accrual 8, std ≥ 2 s":   {21.8, 15.6, 51.3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := e.score(contenderNamed(name), schedules(time.Second, 3, false))
			require.InDelta(t, want.recorded, median(s.recorded).Seconds(), 1.2)
			require.InDelta(t, want.putIn, median(s.putIn).Seconds(), 1.2, "other instants were drawn")
			require.InEpsilon(t, want.mistakes+1, s.mistakes+1, 0.07)
			require.InDelta(t, want.withNova, s.withNova, 0.1)
		})
	}
}

package tracker

import (
	"math"
	"slices"
	"time"
)

// maxGaps is how many gaps are kept of a member. A median of 16 ignores 7 odd gaps.
const maxGaps = 16

// gaps are the newest times between the heartbeats of a member, or between polls, in milliseconds, from old to new.
type gaps struct {
	ms [maxGaps]uint32
	n  uint8
}

// add adds n gaps of the same length.
func (g *gaps) add(gap time.Duration, n uint64) {
	ms := uint32(min(gap.Milliseconds(), math.MaxUint32))
	for range min(n, maxGaps) {
		if g.n == maxGaps {
			copy(g.ms[:], g.ms[1:])
			g.n--
		}
		g.ms[g.n] = ms
		g.n++
	}
}

// keepNewest drops all but the newest gaps.
func (g *gaps) keepNewest(n int) {
	g.n = uint8(copy(g.ms[:], g.newest(n)))
}

func (g *gaps) newest(n int) []uint32 { return g.ms[max(0, int(g.n)-n):g.n] }

// median returns the median, zero if there are no gaps.
func (g *gaps) median() time.Duration { return medianOf(g.newest(maxGaps)) }

func medianOf(ms []uint32) time.Duration {
	var sorted [maxGaps]uint32
	n := copy(sorted[:], ms)
	if n == 0 {
		return 0
	}
	slices.Sort(sorted[:n])
	return time.Duration(uint64(sorted[(n-1)/2])+uint64(sorted[n/2])) * time.Millisecond / 2
}

// interval returns the median if the gaps are regular: at least 3, and more than half of them, are near it. Otherwise it returns zero.
func (g *gaps) interval(median time.Duration) time.Duration {
	if near := nearOf(g.newest(maxGaps), median); near >= gapsNeeded && 2*near > int(g.n) {
		return median
	}
	return 0
}

// nearOf returns how many gaps differ from an interval by at most the tolerance.
func nearOf(ms []uint32, interval time.Duration) (near int) {
	for _, gap := range ms {
		if (time.Duration(gap)*time.Millisecond - interval).Abs() <= tolerance(interval) {
			near++
		}
	}
	return near
}

// newInterval returns the median of the newest gaps if they agree with each other and not with the median of all gaps: then the member
// has another interval.
func (g *gaps) newInterval(median time.Duration) (time.Duration, bool) {
	if g.n < gapsNeeded {
		return 0, false
	}
	newest := g.newest(gapsNeeded)
	changed := medianOf(newest)
	return changed, nearOf(newest, changed) == gapsNeeded && (changed-median).Abs() > tolerance(median)
}

// longest returns the gap that is longer than all but skip of the others, zero if there are not so many.
func (g *gaps) longest(skip int) time.Duration {
	var sorted [maxGaps]uint32
	n := copy(sorted[:], g.newest(maxGaps))
	if n <= skip {
		return 0
	}
	slices.Sort(sorted[:n])
	return time.Duration(sorted[n-1-skip]) * time.Millisecond
}

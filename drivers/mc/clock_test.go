package mc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each line is one poll: the error of this machine's wall clock, the ages of two members' heartbeats by a correct clock, and
// the error of the time that is chosen.
func TestClock(t *testing.T) {
	const s, dead = time.Second, 10 * time.Minute
	type poll struct{ wrong, a, b, want time.Duration }
	for name, polls := range map[string][]poll{
		"no step":                      {{0, s, s, 0}, {0, 2 * s, s, 0}, {0, dead, dead, 0}},
		"set ahead, and back":          {{0, s, s, 0}, {time.Hour, s, s, 0}, {time.Hour, dead, s, 0}, {0, dead, s, 0}},
		"set back, and ahead":          {{0, s, s, 0}, {-time.Hour, s, s, 0}, {-time.Hour, dead, dead, 0}, {0, s, s, 0}},
		"wrong, and corrected":         {{time.Hour, s, s, time.Hour}, {0, s, s, 0}, {0, dead, s, 0}},
		"corrected while all are dead": {{time.Hour, dead, dead, time.Hour}, {0, dead, dead, time.Hour}, {0, s, dead, 0}},
		"a little":                     {{0, s, s, 0}, {5 * s, s, s, 5 * s}, {0, s, s, 0}},
		"a time daemon's correction":   {{0, s, s, 0}, {900 * time.Millisecond, s, s, 900 * time.Millisecond}},
		"one member is an hour ahead":  {{0, s, -time.Hour, 0}, {time.Hour, s, -time.Hour, time.Hour}, {0, s, s, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			right := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
			c := &referenceClock{wall: right.Add(polls[0].wrong)}
			for i, p := range polls {
				now, mono := right.Add(time.Duration(i)*time.Minute), time.Duration(i)*time.Minute
				members := []replies{{newest: storedBeat{now.Add(-p.a)}}, {newest: storedBeat{now.Add(-p.b)}}, {}}
				chosen, other := c.choose(now.Add(p.wrong), mono, time.Minute, members)
				require.Equal(t, p.want, chosen.Sub(now), "poll %d", i+1)
				require.Equal(t, p.want != p.wrong, other, "poll %d", i+1)
			}
		})
	}
}

func TestClockIsThisMachines(t *testing.T) {
	c := newReferenceClock()
	wall, mono := c.read()
	require.GreaterOrEqual(t, mono, time.Duration(0))
	now, other := c.choose(wall, mono, time.Minute, nil)
	require.Equal(t, wall, now)
	require.False(t, other)
	require.WithinDuration(t, time.Now(), now, time.Minute)
}

package tracker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// All members in service count whose entry could be read.
func TestAges(t *testing.T) {
	for name, test := range map[string]struct {
		poll drivers.Poll
		want map[string]string
	}{
		"up and down, of two groups": {
			drivers.Poll{Members: rows("g/a:up:beat=55s g/b:up:beat=59s g/c:down:beat=-1h h/a:up:beat=60s")},
			map[string]string{"g": "[1s 5s 1h1m0s 1h1m0s 1h1m0s]", "h": "[0s 0s 0s 0s 0s]"},
		},
		"not those out of service": {
			drivers.Poll{Members: rows("a:up:beat=55s b:up:beat=50s:disabled c:down:beat=40s:forced h/a:up:beat=50s:disabled")},
			map[string]string{"g": "[5s 5s 5s 5s 5s]"},
		},
		"in the future": {
			drivers.Poll{Members: rows("a:up:beat=62500ms b:up:beat=60s")},
			map[string]string{"g": "[-2.5s -2.5s 0s 0s 0s]"},
		},
		"no heartbeats": {drivers.Poll{Members: rows("c:up d:down")}, map[string]string{}},
		"an entry that can't be read": {
			drivers.Poll{Members: rows("a:up:beat=55s"), Unknown: rows("b:up:beat=40s h/a:up:beat=40s")},
			map[string]string{"g": "[5s 5s 5s 5s 5s]"},
		},
		"a group that can't be read": {
			drivers.Poll{Members: rows("a:up:beat=55s"), UnreadableGroups: []string{"h"}},
			map[string]string{"g": "[5s 5s 5s 5s 5s]"},
		},
		"no member is left": {drivers.Poll{}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newSuspicious()
			observe := func(poll *drivers.Poll, at time.Duration) {
				now := Instant{Wall: t0.Add(at), Mono: at}
				poll.Now, poll.DownTime = now.Wall, mins
				tr.Observe(poll, now, now)
			}
			observe(&drivers.Poll{Members: rows("a:up:beat=40s:rostered b:up:beat=40s:rostered h/a:up:beat=40s:rostered")}, 45*sec)
			observe(&test.poll, mins)
			got := map[string]string{}
			for _, g := range tr.Groups() {
				if g.HasAges {
					got[g.Name] = fmt.Sprint(g.Ages)
				}
			}
			require.Equal(t, test.want, got)
		})
	}
}

// Each quantile is one of the values, as if they were sorted.
func TestQuantiles(t *testing.T) {
	values := make([]time.Duration, 1000)
	for i := range values {
		values[i] = time.Duration((i*617)%1000 + 1)
	}
	require.Equal(t, Quantiles{1, 500, 900, 990, 1000}, quantilesOf(values))
	require.Equal(t, Quantiles{7, 7, 7, 7, 7}, quantilesOf([]time.Duration{7}))
	require.Equal(t, Quantiles{1, 1, 2, 2, 2}, quantilesOf([]time.Duration{2, 1}))
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		values := make([]time.Duration, 1+random.IntN(200))
		for i := range values {
			values[i] = time.Duration(random.IntN(1 + random.IntN(300)))
		}
		sorted := slices.Sorted(slices.Values(values))
		got, last := quantilesOf(values), len(values)-1
		require.Equal(t, Quantiles{sorted[0], sorted[(len(sorted)+1)/2-1], got[2], got[3], sorted[last]}, got)
		require.True(t, slices.IsSorted(got[:]))
		for i, share := range map[int]float64{2: 0.9, 3: 0.99} {
			at, _ := slices.BinarySearch(sorted, got[i]+1)
			require.GreaterOrEqual(t, float64(at), share*float64(len(sorted)), "%v of %v", got, sorted)
		}
	}
}

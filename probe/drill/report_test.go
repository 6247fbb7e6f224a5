package drill

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSummarize(t *testing.T) {
	require.Zero(t, summarize(nil))
	require.Equal(t, Summary{Count: 1, Min: 2, Mean: 2, P50: 2, P99: 2, Max: 2}, summarize([]float64{2}))
	values := make([]float64, 200)
	for i := range values {
		values[i] = float64(200 - i)
	}
	require.Equal(t, Summary{Count: 200, Min: 1, Mean: 100.5, P50: 100, P99: 198, Max: 200}, summarize(values))
}

// The expected values are from tables of the exact Poisson bounds.
func TestPoissonUpperBound(t *testing.T) {
	for n, want := range map[int]float64{0: 2.9957, 1: 4.7439, 2: 6.2958, 10: 16.9622, 100: 118.0794} {
		require.InDelta(t, want, poissonUpperBound(n), 0.001)
	}
}

func TestReport(t *testing.T) {
	c := &comparison{
		seen: observations{longest: seconds(0.25), outages: []outage{{at(1), at(3)}, {from: at(90)}}}, end: at(100),
		deaths: []death{
			{member: "a", scenario: scenarioKill, at: at(10), detected: at(14), returned: at(20), seenUp: at(20.5), reported: seconds(5), hasReported: true},
			{member: "b", scenario: scenarioPartition, at: at(10), detected: at(13), returned: at(20), seenUp: at(19.5)},
			{member: "c", scenario: scenarioKill, at: at(10)},
		},
		mistakes: []mistake{{"d", scenarioPause, at(30), seconds(2)}, {"d", scenarioPause, at(50), seconds(3)}},
		liveTime: seconds(1000), unmeasured: 4,
	}
	r := &Report{Started: start, Members: 10, DownTime: 4, Scenarios: map[scenario]int{scenarioKill: 3, scenarioPause: 7}}
	r.score(c)
	require.Equal(t, 1, r.Undetected)
	require.Equal(t, 4, r.Unmeasured)
	require.Equal(t, 2, r.Detection[all].Count)
	require.InDelta(t, 3.5, r.Detection[all].Mean, 1e-9)
	require.InDelta(t, 4, r.Detection[scenarioKill].Max, 1e-9)
	require.Equal(t, Summary{Count: 1, Min: 1, Mean: 1, P50: 1, P99: 1, Max: 1}, r.ReportError)
	require.InDelta(t, 0, r.Recovery[scenarioPartition].Max, 1e-9, "a recovery time is never negative")
	require.InDelta(t, 500, *r.Accuracy.Recurrence, 1e-9)
	require.InDelta(t, 1000/6.2958, r.Accuracy.AtLeast, 0.01)
	require.InDelta(t, 0.995, r.Accuracy.Query, 1e-9)
	require.Equal(t, Outages{Count: 2, Seconds: 12}, r.Outages)

	var text strings.Builder
	require.NoError(t, r.WriteText(&text))
	for _, want := range []string{
		"3 kill, 7 pause", "deaths not detected     1 (4 more", "mistakes                2 in 16m40s", "T_MR 8m20s, at least 2m39s",
		"T_M    2.5s on average, 3s at most", "2 pause", "P_A      0.995000", "2 times, 12s",
	} {
		require.Contains(t, text.String(), want)
	}
}

func TestTimeline(t *testing.T) {
	r := &Report{Started: start}
	points := r.timeline(
		[]history{{member: "a", spans: spans(1, 10, 20)}, {member: "b", spans: spans(2)}},
		&observations{byMember: map[string][]observation{"a": {up(1.5), down(14)}, "b": {up(2.5), up(3)}}}, at(18))
	require.Equal(t, []Point{{0, 0, 0}, {1, 1, 0}, {1.5, 1, 1}, {2, 2, 1}, {2.5, 2, 2}, {10, 1, 2}, {14, 1, 1}, {18, 1, 1}}, points)
}

func TestTimerLag(t *testing.T) {
	l := newTimerLag()
	defer l.stop()
	require.Eventually(t, func() bool { return l.longest() > 0 }, time.Minute, time.Millisecond)
}

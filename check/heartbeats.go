package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

const (
	// minPause is the time between two polls that look for heartbeats, at least twice as long as a poll.
	minPause = 500 * time.Millisecond
	// reserve is the part of the time in which no poll begins any more, so that the last one is not cut short.
	reserve = time.Second
)

// heartbeats polls until half of the members that are up have reported once more, or the time has passed, and returns the finding
// about the heartbeat timeout and the reporting interval, which it notes.
func (r *sourceResult) heartbeats(ctx context.Context, driver drivers.Driver, poll *drivers.Poll) drivers.Finding {
	const subject = "heartbeat"
	timeout := short(poll.DownTime)
	last, up := map[drivers.Key]time.Time{}, 0
	for i := range poll.Members {
		m := &poll.Members[i]
		if !m.Up {
			continue
		}
		up++
		if !m.LastHeartbeat.IsZero() {
			last[m.Key()] = m.LastHeartbeat
		}
	}
	switch {
	case len(last) == 0 && up > 0:
		return drivers.OK(subject, "a member is down %s after its session was last heard; the backend keeps no heartbeats", timeout)
	case len(last) == 0:
		return drivers.OK(subject, "heartbeat timeout %s; the reporting interval is not known, because no member is up", timeout)
	}
	intervals := observe(ctx, driver, last)
	newest := slices.MaxFunc(slices.Collect(maps.Values(last)), time.Time.Compare)
	if age := poll.Now.Sub(newest); len(intervals) == 0 && age > poll.DownTime/2 {
		return drivers.Warning(subject, fmt.Sprintf("all heartbeats have stopped: when check began, the newest was %s old, and the heartbeat timeout is %s",
			short(age.Round(100*time.Millisecond)), timeout),
			"check that the members can write to this backend: rights, disk, replication, and whether it is read-only")
	}
	if len(intervals) == 0 {
		return drivers.OK(subject, "heartbeat timeout %s; the reporting interval is not known, because no member reported twice while check ran "+
			"(--timeout gives it more time)", timeout)
	}
	slices.Sort(intervals)
	median, longest := intervals[len(intervals)/2], intervals[len(intervals)-1]
	r.interval = median
	text := fmt.Sprintf("heartbeat timeout %s; members report every %s (median of %d, longest %s)", timeout,
		short(median.Round(100*time.Millisecond)), len(intervals), short(longest.Round(100*time.Millisecond)))
	if 2*median > poll.DownTime {
		return drivers.Warning(subject, text+": one late heartbeat makes a member down",
			"set service_down_time to the value that the service itself uses, or let the members report more often")
	}
	return drivers.OK(subject, "%s", text)
}

// observe returns the times between two heartbeats of the same member.
func observe(ctx context.Context, driver drivers.Driver, last map[drivers.Key]time.Time) []time.Duration {
	var intervals []time.Duration
	seen := map[drivers.Key]bool{}
	deadline, _ := ctx.Deadline()
	for pause := minPause; 2*len(seen) < len(last) && time.Until(deadline) > pause+reserve; {
		select {
		case <-ctx.Done():
			return intervals
		case <-time.After(pause):
		}
		began := time.Now()
		poll, err := driver.Members(ctx)
		if err != nil {
			return intervals
		}
		pause = max(minPause, 2*time.Since(began))
		for i := range poll.Members {
			m := &poll.Members[i]
			before, known := last[m.Key()]
			if known && !seen[m.Key()] && m.LastHeartbeat.After(before) {
				intervals, seen[m.Key()] = append(intervals, m.LastHeartbeat.Sub(before)), true
			}
		}
	}
	return intervals
}
